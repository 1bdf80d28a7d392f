// Package embed asks the engine's module, in wazero.
//
// The boundary is specified in the header of crates/scopegate-wasm/src/lib.rs.
package embed

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const failed = 0xffff_ffff

// Refused says that the engine refused a text: the number of the error, and where in the text.
type Refused struct{ Number, Position uint32 }

func (r Refused) Error() string { return fmt.Sprintf("error %d at %d", r.Number, r.Position) }

// Explanation is the decision about a scope, as people read it. The engine's JSON holds more.
type Explanation struct {
	Text string `json:"text"`
}

// Engine is one instance of the module, for one goroutine at a time.
type Engine struct {
	ctx    context.Context
	module api.Module
}

// New compiles the module and makes an instance.
func New(ctx context.Context, wasm []byte) (*Engine, error) {
	module, err := wazero.NewRuntime(ctx).Instantiate(ctx, wasm)
	if err != nil {
		return nil, err
	}
	engine := &Engine{ctx, module}
	if version, err := engine.call("abi_version"); err != nil || version != 2 {
		return nil, errors.Join(err, errors.New("another version of the boundary"))
	}
	return engine, nil
}

// Load compiles the actions of a scope map; it gives a handle for Explain.
func (e *Engine) Load(name string, rules []string) (uint32, error) {
	table, err := e.bytes("table_compile", []string{strings.Join(rules, "\n")})
	if err != nil {
		return 0, err
	}
	_, handle, err := e.checked("table_load", []string{name, string(table)})
	return handle, err
}

// Explain gives the decision about each scope, with its reasons and what would change it.
func (e *Engine) Explain(table uint32, scopes []string) ([]Explanation, error) {
	text := strings.Join(scopes, " ")
	handle := binary.LittleEndian.AppendUint32(nil, table)
	if err := e.write(string(handle), text); err != nil {
		return nil, err
	}
	written, err := e.bytes("explain", nil, 1, uint64(len(text)), 0)
	if err != nil {
		return nil, err
	}
	var explanations []Explanation
	return explanations, json.Unmarshal(written, &explanations)
}

// Route gives the canonical path of an HTTP request, and the scopes that it needs.
func (e *Engine) Route(method, target string, settings uint64) (path, scopes string, err error) {
	text, err := e.bytes("route", []string{method, target}, settings)
	path, scopes, _ = strings.Cut(string(text), "\n")
	return path, scopes, err
}

// Request is what a registry reads parameters from. Each header is a name and a value, one for each line that came.
type Request struct {
	Method, Target string
	Headers        [][2]string
}

// Admission tells what becomes of a request. With status 200 it goes on with Target and ContentType (empty: none), whatever came;
// otherwise it is answered with Challenge and Body.
type Admission struct {
	Status                      int
	Target, ContentType, Scopes string
	Challenge, Body             string
}

// Admit tells what becomes of a request.
func (e *Engine) Admit(request Request, access []string, realm, service string, credential, settings uint64) (Admission, error) {
	var headers strings.Builder
	for _, header := range request.Headers {
		if strings.Contains(header[0]+header[1], "\n") {
			return Admission{}, errors.New("a header of two lines")
		}
		headers.WriteString(header[0] + ": " + header[1] + "\n")
	}
	parts := []string{request.Method, request.Target, headers.String(), strings.Join(access, "\n"), realm, service}
	text, err := e.bytes("admit_request", parts, credential, settings)
	if err != nil {
		return Admission{}, err
	}
	status, rest, _ := strings.Cut(string(text), "\n")
	head, rest, _ := strings.Cut(rest, "\n")
	if status == "200" {
		contentType, scopes, _ := strings.Cut(rest, "\n")
		return Admission{Status: 200, Target: head, ContentType: contentType, Scopes: scopes}, nil
	}
	number, err := strconv.Atoi(status)
	return Admission{Status: number, Challenge: head, Body: rest}, err
}

// write puts texts into the input, one behind the other.
func (e *Engine) write(parts ...string) error {
	text := strings.Join(parts, "")
	address, err := e.call("input", uint64(len(text)))
	if err != nil {
		return err
	}
	if address == 0 || !e.module.Memory().WriteString(uint32(address), text) {
		return errors.New("the engine has no memory left")
	}
	return nil
}

func (e *Engine) call(name string, arguments ...uint64) (uint64, error) {
	results, err := e.module.ExportedFunction("scopegate_"+name).Call(e.ctx, arguments...)
	if err != nil {
		return 0, err
	}
	return results[0], nil
}

// checked writes parts, calls with their lengths and what follows, and gives the halves of a result that did not fail.
func (e *Engine) checked(name string, parts []string, more ...uint64) (high, low uint32, err error) {
	arguments := make([]uint64, 0, len(parts)+len(more))
	for _, part := range parts {
		arguments = append(arguments, uint64(len(part)))
	}
	if len(parts) > 0 {
		if err := e.write(parts...); err != nil {
			return 0, 0, err
		}
	}
	result, err := e.call(name, append(arguments, more...)...)
	if err != nil {
		return 0, 0, err
	}
	high, low = uint32(result>>32), uint32(result)
	if high == failed {
		return 0, 0, Refused{low >> 24, low & 0xff_ffff}
	}
	return high, low, nil
}

// bytes copies what a call gave.
func (e *Engine) bytes(name string, parts []string, more ...uint64) ([]byte, error) {
	address, length, err := e.checked(name, parts, more...)
	if err != nil {
		return nil, err
	}
	view, ok := e.module.Memory().Read(address, length)
	if !ok {
		return nil, errors.New("bytes outside the memory")
	}
	return append([]byte(nil), view...), nil
}
