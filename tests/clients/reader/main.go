// What a registry that is written in Go reads from a request: net/http's own reader, over bytes that an edge sent.
//
// On each line of standard input a request in base64; on each line of standard output what was read, as JSON. "old" is what Go read until
// 1.17, for which a semicolon stood between two parameters of a query.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"
)

type reading struct {
	Method string              `json:"method"`
	Path   string              `json:"path"`
	Form   map[string][]string `json:"form"`
	Old    map[string][]string `json:"old"`
}

func main() {
	lines, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		text, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		request := read(text)
		old := read(text)
		old.URL.RawQuery = strings.ReplaceAll(old.URL.RawQuery, ";", "&")
		answer := reading{request.Method, request.URL.Path, form(request), form(old)}
		if err := answers.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}

func read(text []byte) *http.Request {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		log.Fatalf("%v in %q", err, text)
	}
	return request
}

// form is everything that FormValue looks among. It ignores errors as FormValue does.
func form(request *http.Request) map[string][]string {
	request.FormValue("mount")
	return request.Form
}
