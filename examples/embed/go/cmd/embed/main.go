// What does a token get? go run ./cmd/embed ENGINE.wasm MAP.json SCOPE...
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	embed "scopegate.example/embed"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: embed ENGINE.wasm MAP.json SCOPE...")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		log.Fatal(err)
	}
}

func run(module, file string, scopes []string) error {
	wasm, err := os.ReadFile(module)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var scopeMap struct {
		Name    string
		Actions []string
	}
	if err := json.Unmarshal(text, &scopeMap); err != nil {
		return err
	}
	engine, err := embed.New(context.Background(), wasm)
	if err != nil {
		return err
	}
	table, err := engine.Load(scopeMap.Name, scopeMap.Actions)
	if err != nil {
		return err
	}
	explanations, err := engine.Explain(table, scopes)
	for _, explanation := range explanations {
		fmt.Print(explanation.Text)
	}
	return err
}
