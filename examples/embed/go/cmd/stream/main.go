// Cases through the package: one JSON object a line in, one answer a line out. The project's tests run it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	embed "scopegate.example/embed"
)

type question struct {
	Kind, Method, Target, Realm, Service string
	Map, Scopes, Access                  []string
	Headers                              [][2]string
	Credential, Settings                 uint64
}

func main() {
	wasm, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	engine, err := embed.New(context.Background(), wasm)
	if err != nil {
		log.Fatal(err)
	}
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		answered, err := answer(engine, asked)
		var refused embed.Refused
		if errors.As(err, &refused) {
			answered = refused.Error()
		} else if err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(answered); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(engine *embed.Engine, q question) (any, error) {
	switch q.Kind {
	case "explain":
		table, err := engine.Load("", q.Map)
		if err != nil {
			return nil, err
		}
		explanations, err := engine.Explain(table, q.Scopes)
		texts := make([]string, 0, len(explanations))
		for _, explanation := range explanations {
			texts = append(texts, explanation.Text)
		}
		return texts, err
	case "route":
		path, scopes, err := engine.Route(q.Method, q.Target, q.Settings)
		return []string{path, scopes}, err
	default:
		request := embed.Request{Method: q.Method, Target: q.Target, Headers: q.Headers}
		a, err := engine.Admit(request, q.Access, q.Realm, q.Service, q.Credential, q.Settings)
		if a.Status == 200 {
			return []any{a.Status, a.Target, a.ContentType, a.Scopes}, err
		}
		return []any{a.Status, a.Challenge, a.Body}, err
	}
}
