// Calls azcontainerregistry, the SDK for Go: `sdk '{"endpoint": …, "who": …, "calls": [["tags", "team/hello"], …]}'`.
//
// Prints a list with one `{"value": …}` or `{"error": status}` for each call. The SDK is the released one; the only thing of ours is
// the credential that gives it a token that was issued elsewhere.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	acr "github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
)

// issued is a token that is there already.
type issued string

func (token issued) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(token), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// sdk has both clients of the registry, and what they are called with.
type sdk struct {
	context.Context
	client *acr.Client
	blobs  *acr.BlobClient
}

type call func(sdk, []string) (any, error)

var known = map[string]call{
	"repositories": func(s sdk, _ []string) (any, error) {
		return all(s, s.client.NewListRepositoriesPager(nil), func(page acr.ClientListRepositoriesResponse) []string {
			return texts(page.Names)
		})
	},
	"repository": func(s sdk, names []string) (any, error) {
		shown, err := s.client.GetRepositoryProperties(s, names[0], nil)
		return shown.TagCount, err
	},
	"tags": func(s sdk, names []string) (any, error) {
		return all(s, s.client.NewListTagsPager(names[0], nil), tags)
	},
	"newest": func(s sdk, names []string) (any, error) {
		order, size := acr.ArtifactTagOrderByLastUpdatedOnDescending, int32(2)
		options := acr.ClientListTagsOptions{Digest: &names[1], OrderBy: &order, MaxNum: &size}
		return all(s, s.client.NewListTagsPager(names[0], &options), tags)
	},
	"tag": func(s sdk, names []string) (any, error) {
		shown, err := s.client.GetTagProperties(s, names[0], names[1], nil)
		if err != nil {
			return nil, err
		}
		return shown.Tag.Digest, nil
	},
	"manifests": func(s sdk, names []string) (any, error) {
		return all(s, s.client.NewListManifestsPager(names[0], nil), digests)
	},
	"pages": func(s sdk, names []string) (any, error) {
		order, size := acr.ArtifactManifestOrderByLastUpdatedOnDescending, int32(3)
		options := acr.ClientListManifestsOptions{OrderBy: &order, MaxNum: &size}
		return all(s, s.client.NewListManifestsPager(names[0], &options), func(page acr.ClientListManifestsResponse) []int {
			return []int{len(page.Attributes)}
		})
	},
	"manifest": func(s sdk, names []string) (any, error) {
		accepted := manifestType
		pulled, err := s.client.GetManifest(s, names[0], names[1], &acr.ClientGetManifestOptions{Accept: &accepted})
		return pulled.DockerContentDigest, err
	},
	"lock":   func(s sdk, names []string) (any, error) { return s.setWrite(names, false) },
	"unlock": func(s sdk, names []string) (any, error) { return s.setWrite(names, true) },
	"untag": func(s sdk, names []string) (any, error) {
		_, err := s.client.DeleteTag(s, names[0], names[1], nil)
		return nil, err
	},
	"delete": func(s sdk, names []string) (any, error) {
		_, err := s.client.DeleteRepository(s, names[0], nil)
		return nil, err
	},
	"discard": func(s sdk, names []string) (any, error) {
		_, err := s.client.DeleteManifest(s, names[0], names[1], nil)
		return nil, err
	},
	"show":     sdk.show,
	"change":   sdk.change,
	"upload":   sdk.upload,
	"download": sdk.download,
}

func (s sdk) setWrite(names []string, may bool) (any, error) {
	value := acr.TagWriteableProperties{CanWrite: &may}
	updated, err := s.client.UpdateTagProperties(s, names[0], names[1], &acr.ClientUpdateTagPropertiesOptions{Value: &value})
	if err != nil {
		return nil, err
	}
	return updated.Tag.ChangeableAttributes.CanWrite, nil
}

// all goes from page to page by the links alone.
func all[Page, Item any](s sdk, pager *runtime.Pager[Page], items func(Page) []Item) (any, error) {
	found := []Item{}
	for pager.More() {
		page, err := pager.NextPage(s)
		if err != nil {
			return nil, err
		}
		found = append(found, items(page)...)
	}
	return found, nil
}

func tags(page acr.ClientListTagsResponse) []string {
	names := []string{}
	for _, tag := range page.Tags {
		names = append(names, *tag.Name)
	}
	return names
}

func digests(page acr.ClientListManifestsResponse) []string {
	found := []string{}
	for _, manifest := range page.Attributes {
		found = append(found, *manifest.Digest)
	}
	return found
}

func texts(pointers []*string) []string {
	found := []string{}
	for _, text := range pointers {
		found = append(found, *text)
	}
	return found
}

func outcome(s sdk, asked []string) map[string]any {
	value, err := known[asked[0]](s, asked[1:])
	if err == nil {
		return map[string]any{"value": value}
	}
	fmt.Fprintln(os.Stderr, err)
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) {
		log.Fatal(err)
	}
	return map[string]any{"error": refused.StatusCode}
}

func main() {
	var asked struct {
		Endpoint string
		Who      struct{ Token string }
		Calls    [][]string
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &asked); err != nil {
		log.Fatal(err)
	}
	var credential azcore.TokenCredential
	if asked.Who.Token != "" {
		credential = issued(asked.Who.Token)
	}
	client, err := acr.NewClient(asked.Endpoint, credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	blobs, err := acr.NewBlobClient(asked.Endpoint, credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	s, outcomes := sdk{context.Background(), client, blobs}, []any{}
	for _, call := range asked.Calls {
		outcomes = append(outcomes, outcome(s, call))
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		log.Fatal(err)
	}
}
