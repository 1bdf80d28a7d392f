/**
 * Examples to begin with: those of the documentation of Azure Container Registry, and what people
 * ask about most.
 */

import { blank, type Model } from "./model";

export interface Example {
  name: string;
  about: string;
  /** What is written into the field. */
  pasted?: string;
  model: () => Model;
}

const denied = `$ docker push myregistry.azurecr.io/samples/nginx:v1
The push refers to repository [myregistry.azurecr.io/samples/nginx]
denied: requested access to the resource is denied
`;

const helloWorld = `{
  "name": "MyScopeMap",
  "description": "Sample scope map",
  "actions": [
    "repositories/samples/hello-world/content/read",
    "repositories/samples/hello-world/content/write"
  ]
}
`;

export const examples: Example[] = [
  {
    name: "A push that is denied",
    about: "the first example of the documentation, and the error that everybody knows",
    pasted: denied + helloWorld,
    model: () => from({}),
  },
  {
    name: "Rules that add up",
    about: "the documentation's wildcards: what each level of a path gets",
    model: () =>
      from({
        maps: [
          map("wildcards", [
            "repositories/sample/*/content/read",
            "repositories/sample/teama/*/content/write",
            "repositories/sample/teama/projectb/content/delete",
          ]),
        ],
        repositories: ["sample", "sample/other", "sample/teama/projectc", "sample/teama/projectb"],
        question: { kind: "scope", text: "repository:sample/teama/projectb:pull,push,delete" },
      }),
  },
  {
    name: "Pull works, listing tags does not",
    about: "helm dependency update, Flux and Renovate need metadata/read",
    model: () =>
      from({
        maps: [map("charts-pull", ["repositories/charts/*/content/read"])],
        repositories: ["charts/web"],
        question: {
          kind: "operation",
          operation: "helm-dependency-update",
          target: {
            registry: "myregistry.azurecr.io",
            repository: "charts/web",
            tag: "1.2.0",
            source: "",
          },
        },
      }),
  },
  {
    name: "Push without pull",
    about: "a push reads, too: content/write alone opens nothing",
    model: () =>
      from({
        maps: [map("ci-upload", ["repositories/team/app/content/write"])],
        repositories: ["team/app"],
        question: {
          kind: "operation",
          operation: "docker-push",
          target: {
            registry: "myregistry.azurecr.io",
            repository: "team/app",
            tag: "v1",
            source: "",
          },
        },
      }),
  },
  {
    name: "Listing repositories",
    about: "the catalog takes metadata/read on the root wildcard",
    model: () =>
      from({
        maps: [map("lister", ["repositories/*/metadata/read", "repositories/team/*/content/read"])],
        repositories: ["team/app", "other/app"],
        question: { kind: "scope", text: "registry:catalog:*" },
      }),
  },
  {
    name: "Before and after",
    about: "what a change to a map gives and takes, with a repository to prove it",
    model: () =>
      from({
        maps: [map("builders", ["repositories/team/*/content/read", "repositories/team/*/content/write"])],
        old: map("builders", [
          "repositories/team/app/content/read",
          "repositories/team/app/content/write",
          "repositories/base/*/content/read",
        ]),
        repositories: ["team/app", "team/web", "base/debian"],
        question: { kind: "scope", text: "repository:base/debian:pull" },
        panel: "compare",
      }),
  },
];

function from(parts: Partial<Model>): Model {
  return { ...blank(), ...parts };
}

function map(name: string, actions: string[]) {
  return { name, registry: "myregistry", description: "", actions };
}
