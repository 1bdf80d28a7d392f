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
    name: "Denied push",
    about: "The classic `requested access to the resource is denied`",
    pasted: denied + helloWorld,
    model: () => from({}),
  },
  {
    name: "How wildcards combine",
    about: "What each level of a path can do",
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
    name: "Pull works, but listing tags fails",
    about: "Helm, Flux and Renovate also need metadata/read",
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
    name: "Push fails with only content/write",
    about: "Pushing also needs content/read",
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
    name: "List all repositories",
    about: "Needs metadata/read on `*`",
    model: () =>
      from({
        maps: [map("lister", ["repositories/*/metadata/read", "repositories/team/*/content/read"])],
        repositories: ["team/app", "other/app"],
        question: { kind: "scope", text: "registry:catalog:*" },
      }),
  },
  {
    name: "Review a change",
    about: "What a new scope map adds and removes",
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
