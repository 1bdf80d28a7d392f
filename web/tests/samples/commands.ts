/** Command lines, as people type and paste them. */

import type { Sample } from "./sample";

export const COMMANDS: Sample[] = [
  {
    text: "docker pull contoso.azurecr.io/team/app:v1",
    found: ["docker pull contoso.azurecr.io/team/app:v1 at contoso.azurecr.io"],
  },
  {
    text: "$ sudo docker push example.azurecr.io/nginx:latest",
    found: ["docker push example.azurecr.io/nginx:latest at example.azurecr.io"],
  },
  {
    text: "PS C:\\Git> docker push 127.0.0.1:5100/team/app",
    found: ["docker push 127.0.0.1:5100/team/app at 127.0.0.1:5100"],
  },
  {
    text: "user@host:~/src (main)$ DOCKER_BUILDKIT=1 docker build --push -f Dockerfile -t reg.io/a/b:1 .",
    found: ["docker push reg.io/a/b:1 at reg.io"],
  },
  {
    text: "C:\\Users\\me>docker.exe pull reg.io/a",
    found: ["docker pull reg.io/a at reg.io"],
  },
  {
    text: "##[command]/usr/bin/docker push reportportaldemo.azurecr.io/service-api:5.4.0",
    found: ["docker push reportportaldemo.azurecr.io/service-api:5.4.0 at reportportaldemo.azurecr.io"],
  },
  {
    text: "+ docker push reg.io/a:$CI_COMMIT_SHA",
    found: ["docker push reg.io/a at reg.io"],
  },
  {
    text: `docker push $REGISTRY/team/app:\${TAG}`,
    found: ["docker push team/app"],
  },
  {
    text: "docker push <registry>.azurecr.io/team/app:$(git rev-parse HEAD)",
    found: ["docker push team/app"],
  },
  {
    text: "docker login contoso.azurecr.io -u MyToken -p hunter2",
    found: ["docker login at contoso.azurecr.io as MyToken"],
  },
  {
    text: "echo $PASS | docker login -u alice --password-stdin localhost:5100",
    found: ["docker login at localhost:5100 as alice"],
  },
  {
    text: "docker run -d --name x -p 80:80 reg.io/a/b:1 sh -c 'x'",
    found: ["docker pull reg.io/a/b:1 at reg.io"],
  },
  {
    text: "docker manifest inspect --insecure localhost:5100/team/hello:v1",
    found: ["docker manifest-inspect localhost:5100/team/hello:v1 at localhost:5100"],
  },
  {
    text: "docker --config /tmp/x image pull reg.io/a",
    found: ["docker pull reg.io/a at reg.io"],
  },
  {
    text: "docker tag a b",
    found: ["unknown 0: not a known `docker` command for a registry"],
  },
  {
    text: "podman --storage-driver=vfs --root /x pull --tls-verify=false 127.0.0.1:5100/team/hello:v1",
    found: ["podman pull 127.0.0.1:5100/team/hello:v1 at 127.0.0.1:5100"],
  },
  {
    text: "podman push app docker://reg.io/team/app:v1",
    found: ["podman push reg.io/team/app:v1 at reg.io"],
  },
  {
    text: "buildah push --creds alice:hunter2 reg.io/a",
    found: ["podman push reg.io/a at reg.io as alice"],
  },
  {
    text: "skopeo copy --src-tls-verify=false docker://a.io/team/hello:v1 docker://b.io/other/copy:v1",
    found: ["skopeo copy b.io/other/copy:v1 from a.io/team/hello:v1 at b.io"],
  },
  {
    text: "skopeo copy --dest-creds readonly:hunter2 oci:img:v1 docker://127.0.0.1:5100/team/nope:v1",
    found: ["skopeo copy 127.0.0.1:5100/team/nope:v1 at 127.0.0.1:5100 as readonly"],
  },
  {
    text: "skopeo inspect --tls-verify=false docker://127.0.0.1:5100/team/hello:v1",
    found: ["skopeo inspect 127.0.0.1:5100/team/hello:v1 at 127.0.0.1:5100"],
  },
  {
    text: "skopeo list-tags docker://127.0.0.1:5100/team/hello",
    found: ["skopeo list-tags 127.0.0.1:5100/team/hello at 127.0.0.1:5100"],
  },
  {
    text: "skopeo delete docker://127.0.0.1:5100/team/hello:v2",
    found: ["skopeo delete 127.0.0.1:5100/team/hello:v2 at 127.0.0.1:5100"],
  },
  {
    text: `oras push --debug myregistry.azurecr.io/samples/artifact:1.0 \\
    --artifact-type application/vnd.unknown.config.v1+json \\
    ./artifact.txt:application/vnd.unknown.layer.v1+txt`,
    found: ["oras push myregistry.azurecr.io/samples/artifact:1.0 at myregistry.azurecr.io"],
  },
  {
    text: "oras copy a.io/x:1 b.io/y:2",
    found: ["oras copy b.io/y:2 from a.io/x:1 at b.io"],
  },
  {
    text: "oras discover -o tree reg.io/net-monitor:v1",
    found: ["oras discover reg.io/net-monitor:v1 at reg.io"],
  },
  {
    text: "oras repo tags reg.io/net-monitor",
    found: ["oras repo-tags reg.io/net-monitor at reg.io"],
  },
  {
    text: "oras manifest delete --force reg.io/a@sha256:8c4e9d9a1a0b66813360026df7578283b95a9fcabd20c054d37b5df969d6dcf7",
    found: ["oras manifest-delete reg.io/a@sha256:8c4e at reg.io"],
  },
  {
    text: "> helm pull oci://myregistry.azurecr.io/myproject/charts/mychart --version 1.3.0 --debug",
    found: ["helm pull myregistry.azurecr.io/myproject/charts/mychart:1.3.0 at myregistry.azurecr.io"],
  },
  {
    text: "helm push hello-world-0.1.0.tgz oci://myregistry.azurecr.io/helm",
    found: ["helm push myregistry.azurecr.io/helm/hello-world:0.1.0 at myregistry.azurecr.io"],
  },
  {
    text: `helm install hero oci://\${REGISTRY_NAME}.azurecr.io/helm/hero-php --version 0.2.1 --namespace testing`,
    found: ["helm install helm/hero-php:0.2.1"],
  },
  {
    text: "helm dependency update ./chart",
    found: ["helm dependency-update"],
  },
  {
    text: "helm show values oci://r.io/c --version '^1.0.0'",
    found: ["helm show r.io/c at r.io"],
  },
  {
    text: "helm registry login myrepo.azurecr.io --username u --password hunter2",
    found: ["helm login at myrepo.azurecr.io as u"],
  },
  {
    text: "./crane ls myregistry.azurecr.io/app",
    found: ["crane ls myregistry.azurecr.io/app at myregistry.azurecr.io"],
  },
  {
    text: "crane push img.tar reg.io/a:1 && crane digest reg.io/a:1",
    found: ["crane push reg.io/a:1 at reg.io", "crane digest reg.io/a:1 at reg.io"],
  },
  {
    text: "crane catalog reg.io",
    found: ["crane catalog at reg.io"],
  },
  {
    text: "crane delete reg.io/a:1",
    found: ["crane delete reg.io/a:1 at reg.io"],
  },
  {
    text: "az acr login --name contoso --expose-token",
    found: ["az login at contoso"],
  },
  {
    text: "az acr repository list -n contoso --username U --password hunter2",
    found: ["az repository-list at contoso as U"],
  },
  {
    text: "az acr repository show-tags -n contoso --repository team/hello",
    found: ["az repository-show-tags contoso/team/hello at contoso"],
  },
  {
    text: "az acr repository delete -n contoso --image team/hello:v1 -y",
    found: ["az repository-delete contoso/team/hello:v1 at contoso"],
  },
  {
    text: "az acr repository untag -n contoso --image team/hello:v1",
    found: ["az repository-untag contoso/team/hello:v1 at contoso"],
  },
  {
    text: "az acr repository update -n contoso --image a:1 --write-enabled false",
    found: ["az repository-update contoso/a:1 at contoso a 1 write:false"],
  },
  {
    text: "az acr repository show -n contoso --repository team.x/hello",
    found: ["az repository-show contoso/team.x/hello at contoso"],
  },
  {
    text: "az acr manifest list-metadata -r contoso -n team/x",
    found: ["az manifest-list contoso/team/x at contoso"],
  },
  {
    text: "az acr manifest list-metadata contoso.azurecr.io/team/x",
    found: ["az manifest-list contoso.azurecr.io/team/x"],
  },
  {
    text: "az acr import --name myreg --source docker.io/library/nats:2.1.8 -t nats:2.1.8",
    found: ["az import myreg/nats:2.1.8 from docker.io/library/nats:2.1.8 at myreg"],
  },
  {
    text: "az acr token create -n MyToken -r contoso --repository team/hello content/read metadata/read",
    found: [
      "az token-create at contoso token MyToken map MyToken-scope-map [repositories/team/hello/content/read repositories/team/hello/metadata/read]",
    ],
  },
  {
    text: `TOKEN_PWD=$(az acr token create \\
  --name MyToken \\
  --registry myregistry \\
  --scope-map MyScopeMap --query 'credentials.passwords[0].value' --output tsv)`,
    found: ["az token-create at myregistry token MyToken map MyScopeMap"],
  },
  {
    text: `az acr scope-map create --name M --registry r \`
  --repository samples/hello-world content/write content/read \`
  --repository Samples/* content/read --gateway site config/read`,
    found: [
      "az scope-map-create at r map M [repositories/samples/hello-world/content/write repositories/samples/hello-world/content/read repositories/samples/*/content/read gateway/site/config/read]",
    ],
  },
  {
    text: "az acr scope-map update -n MyScope -r contoso --add-repository team/x content/read --remove-repository a content/write",
    found: [
      "az scope-map-update at contoso map MyScope [repositories/team/x/content/read] without [repositories/a/content/write]",
    ],
  },
  {
    text: "az acr scope-map update —name MyScope —registry contoso —add-repository team/x content/read",
    found: ["az scope-map-update at contoso map MyScope [repositories/team/x/content/read]"],
  },
  {
    text: "az acr scope-map update -nci -r=contoso --add a content/read --remove-g site config/read",
    found: ["az scope-map-update at contoso map ci [repositories/a/content/read] without [gateway/site/config/read]"],
  },
  {
    text: "az acr scope-map update -n ci -r contoso --ad a content/read",
    found: [
      "az scope-map-update at contoso map ci refused",
      "unknown 41: `--ad` may be `--add-repository` or `--add` or `--add-gateway` of `az acr scope-map update`",
    ],
  },
  {
    text: "az acr token update -n ci -r contoso --status off",
    found: [
      "az token-update at contoso token ci refused",
      "unknown 46: `off` is not a status: `--status` takes `enabled` or `disabled`",
    ],
  },
  {
    text: "az acr token credential generate -n ci -r contoso --exp 2030-01-01T00:00:00Z",
    found: [
      "az token-credential-generate at contoso token ci refused",
      "unknown 50: `--exp` may be `--expiration` or `--expiration-in-days` of `az acr token credential generate`",
    ],
  },
  {
    text: "az acr token delete -y -n ci -r contoso",
    found: ["az token-delete at contoso deletes token ci"],
  },
  {
    text: "az acr manifest update-metadata -r contoso -n team/app:v1 --write FALSE --delete",
    found: ["az manifest-update contoso/team/app:v1 at contoso team/app v1 write:false delete:true"],
  },
  {
    text: "az acr scope-map create -n ci -r contoso --repository $REPO content/read --repository a content/read",
    found: ["az scope-map-create at contoso map ci [repositories/a/content/read]"],
  },
  {
    text: `$ az acr token delete -n ci -r contoso
Deleting the token 'ci' will invalidate access to anyone using its credentials. Proceed? (y/n): n
$ az acr token show -n ci -r contoso`,
    found: ["az token-delete at contoso deletes token ci failed", "az token-show at contoso ci"],
  },
  {
    text: `az rest --method put --uri "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/ci?api-version=2023-07-01" --body '{"properties":{"actions":["repositories/a/content/read"]}}'`,
    found: ["az scope-map-create at contoso map ci [repositories/a/content/read]"],
  },
  {
    text: `az rest -m patch -u /subscriptions/s/providers/Microsoft.ContainerRegistry/registries/contoso/tokens/t?api-version=1 -b "{\\"properties\\":{\\"status\\":\\"disabled\\"}}"`,
    found: ["az token-update at contoso token t"],
  },
  {
    text: "az resource delete --ids /subscriptions/s/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/ci",
    found: ["az scope-map-delete at contoso deletes map ci"],
  },
  {
    text: `PS C:\\> New-AzContainerRegistryScopeMap -Name ci -RegistryName contoso \`
>>   -ResourceGroupName rg -Action "repositories/a/content/read", 'repositories/b/content/write'
PS C:\\> Remove-AzContainerRegistryToken -Name t -RegistryName contoso`,
    found: [
      "az scope-map-create at contoso map ci [repositories/a/content/read repositories/b/content/write]",
      "az token-delete at contoso deletes token t",
    ],
  },
  {
    text: "az acr scope-map create -n ci -r contoso --repository a content/raed --repository b",
    found: [
      "az scope-map-create at contoso map ci [repositories/a/content/raed] refused",
      "unknown 56: `content/raed` is not a permission of a repository",
      "unknown 82: no permission after `b`",
    ],
  },
  {
    text: "az acr token create -n t -r contoso --scope-map m --repository a content/read",
    found: [
      "az token-create at contoso token t map m [repositories/a/content/read] refused",
      "unknown 48: create a token with `--scope-map` or with repositories, not with both",
    ],
  },
  {
    text: `$ az acr scope-map delete -n ci -r contoso -y
Something went wrong, and the request was aborted.
$ docker pull contoso.azurecr.io/a:1`,
    found: [
      "az scope-map-delete at contoso deletes map ci refused",
      "unknown 46: unknown format",
      "docker pull contoso.azurecr.io/a:1 at contoso.azurecr.io",
    ],
  },
  {
    text: `# az acr scope-map delete -n ci -r contoso
root@host:/# az acr scope-map delete -n ci -r contoso`,
    found: ["az scope-map-delete at contoso deletes map ci refused", "az scope-map-delete at contoso deletes map ci"],
  },
  {
    text: "az acr check-health -n x",
    found: ["unknown 0: not a known `az` command for a registry"],
  },
  {
    text: "[yihuaf@localhost ~]$ sudo podman --log-level=debug pull kontain.azurecr.io/test:1",
    found: ["podman pull kontain.azurecr.io/test:1 at kontain.azurecr.io"],
  },
  {
    text: "➜  src git:(main) ✗ docker pull reg.io/a",
    found: ["docker pull reg.io/a at reg.io"],
  },
  {
    text: "docker push contoso.azurecr.io/Team/App:v1",
    found: ["unknown 31: uppercase letter in the repository name"],
  },
  {
    text: "skopeo copy docker://contoso.azurecr.io/team/app:v1 docker://contoso.azurecr.io/team//app:v1",
    found: ["unknown 85: extra slash"],
  },
  {
    text: "skopeo copy docker-archive:Team.tar docker://contoso.azurecr.io/team/app:v1",
    found: ["skopeo copy contoso.azurecr.io/team/app:v1 at contoso.azurecr.io"],
  },
  {
    text: "helm pull oci://contoso.azurecr.io/Charts/web --version 1.2.0",
    found: ["unknown 35: uppercase letter in the repository name"],
  },
  {
    text: "az acr repository delete -n contoso --image Team/App:v1",
    found: ["unknown 44: uppercase letter in the repository name"],
  },
  {
    text: "docker push $REGISTRY/$IMAGE:$TAG",
    found: ["docker push"],
  },
];
