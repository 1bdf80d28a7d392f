package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	acr "github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// flags are what may be done, whichever level they are of.
type flags struct{ delete, write, read, list *bool }

func (f flags) shown() []*bool { return []*bool{f.delete, f.write, f.read, f.list} }

// level is what a reference names: a repository, a tag of it after a colon, or a manifest of it after an at sign.
func level(reference string) (name, tag, digest string) {
	if name, digest, found := strings.Cut(reference, "@"); found {
		return name, "", digest
	}
	name, tag, _ = strings.Cut(reference, ":")
	return name, tag, ""
}

// show gives all that the SDK knows of one thing: its name, its times in microseconds, what it may be done with, and the rest.
func (s sdk) show(arguments []string) (any, error) {
	name, tag, digest := level(arguments[0])
	switch {
	case digest != "":
		of, err := s.client.GetManifestProperties(s, name, digest, nil)
		if err != nil {
			return nil, err
		}
		m, a := of.Manifest, of.Manifest.ChangeableAttributes
		may := flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown()
		rest := []any{m.Size, m.Architecture, m.OperatingSystem, texts(m.Tags), of.RegistryLoginServer, of.RepositoryName}
		return append([]any{m.Digest, micros(m.CreatedOn), micros(m.LastUpdatedOn), may}, rest...), nil
	case tag != "":
		of, err := s.client.GetTagProperties(s, name, tag, nil)
		if err != nil {
			return nil, err
		}
		t, a := of.Tag, of.Tag.ChangeableAttributes
		may := flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown()
		return []any{t.Name, micros(t.CreatedOn), micros(t.LastUpdatedOn), may, t.Digest, of.RegistryLoginServer, of.RepositoryName}, nil
	default:
		r, err := s.client.GetRepositoryProperties(s, name, nil)
		if err != nil {
			return nil, err
		}
		a := r.ChangeableAttributes
		may := flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown()
		return []any{r.Name, micros(r.CreatedOn), micros(r.LastUpdatedOn), may, r.TagCount, r.ManifestCount, r.RegistryLoginServer}, nil
	}
}

func micros(at *time.Time) int64 { return at.UnixMicro() }

// change sets one flag, and gives all four as the answer has them.
func (s sdk) change(arguments []string) (any, error) {
	name, tag, digest := level(arguments[0])
	var f flags
	value := arguments[2] == "true"
	*map[string]**bool{"delete": &f.delete, "write": &f.write, "read": &f.read, "list": &f.list}[arguments[1]] = &value
	switch {
	case digest != "":
		to := acr.ManifestWriteableProperties{CanDelete: f.delete, CanWrite: f.write, CanRead: f.read, CanList: f.list}
		of, err := s.client.UpdateManifestProperties(s, name, digest, &acr.ClientUpdateManifestPropertiesOptions{Value: &to})
		if err != nil {
			return nil, err
		}
		a := of.Manifest.ChangeableAttributes
		return flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown(), nil
	case tag != "":
		to := acr.TagWriteableProperties{CanDelete: f.delete, CanWrite: f.write, CanRead: f.read, CanList: f.list}
		of, err := s.client.UpdateTagProperties(s, name, tag, &acr.ClientUpdateTagPropertiesOptions{Value: &to})
		if err != nil {
			return nil, err
		}
		a := of.Tag.ChangeableAttributes
		return flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown(), nil
	default:
		to := acr.RepositoryWriteableProperties{CanDelete: f.delete, CanWrite: f.write, CanRead: f.read, CanList: f.list}
		of, err := s.client.UpdateRepositoryProperties(s, name, &acr.ClientUpdateRepositoryPropertiesOptions{Value: &to})
		if err != nil {
			return nil, err
		}
		a := of.ChangeableAttributes
		return flags{a.CanDelete, a.CanWrite, a.CanRead, a.CanList}.shown(), nil
	}
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

type image struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

// upload pushes an image of one layer, which is a text; gives its digest.
func (s sdk) upload(arguments []string) (any, error) {
	name, tag, text := arguments[0], arguments[1], arguments[2]
	config, err := s.blob(name, configType, `{"architecture":"arm64","os":"linux"}`)
	if err != nil {
		return nil, err
	}
	layer, err := s.blob(name, layerType, text)
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(image{2, manifestType, config, []descriptor{layer}})
	if err != nil {
		return nil, err
	}
	body := streaming.NopCloser(bytes.NewReader(manifest))
	pushed, err := s.client.UploadManifest(s, name, tag, acr.ContentType(manifestType), body, nil)
	return pushed.DockerContentDigest, err
}

// blob uploads a blob in two chunks.
func (s sdk) blob(name, mediaType, text string) (descriptor, error) {
	started, err := s.blobs.StartUpload(s, name, nil)
	if err != nil {
		return descriptor{}, err
	}
	place, calculator, start := started.Location, acr.NewBlobDigestCalculator(), int32(0)
	for _, chunk := range []string{text[:len(text)/2], text[len(text)/2:]} {
		end := start + int32(len(chunk)) - 1
		options := acr.BlobClientUploadChunkOptions{RangeStart: &start, RangeEnd: &end}
		sent, err := s.blobs.UploadChunk(s, *place, strings.NewReader(chunk), calculator, &options)
		if err != nil {
			return descriptor{}, err
		}
		place, start = sent.Location, end+1
	}
	ended, err := s.blobs.CompleteUpload(s, *place, calculator, nil)
	if err != nil {
		return descriptor{}, err
	}
	return descriptor{mediaType, *ended.DockerContentDigest, len(text)}, nil
}

// download pulls an image, and gives the text of its layer. Both are checked against their digests.
func (s sdk) download(arguments []string) (any, error) {
	accepted := manifestType
	pulled, err := s.client.GetManifest(s, arguments[0], arguments[1], &acr.ClientGetManifestOptions{Accept: &accepted})
	if err != nil {
		return nil, err
	}
	text, err := verified(*pulled.DockerContentDigest, pulled.ManifestData)
	if err != nil {
		return nil, err
	}
	var of image
	if err := json.Unmarshal(text, &of); err != nil {
		return nil, err
	}
	if len(of.Layers) != 1 {
		return nil, fmt.Errorf("%d layers", len(of.Layers))
	}
	layer, err := s.blobs.GetBlob(s, arguments[0], of.Layers[0].Digest, nil)
	if err != nil {
		return nil, err
	}
	text, err = verified(of.Layers[0].Digest, layer.BlobData)
	return string(text), err
}

func verified(digest string, data io.ReadCloser) ([]byte, error) {
	defer data.Close()
	reader, err := acr.NewDigestValidationReader(digest, data)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}
