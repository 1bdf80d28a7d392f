//! "Create a token with repository-scoped permissions": statements 75 to 114.

use super::scene::Scene;
use super::statements::{Row, check, row};

const DOCUMENT: &str = "Repository-scoped permissions";

#[test]
fn repository_scoped_permissions() {
    let scene = Scene::new();
    scene.sign_in();
    let loaded = scene.shell.types(&format!(
        r#"
docker load -q -i {image}
for repository in hello-world nginx; do docker tag localhost/image:v1 $registry/samples/$repository:v1; done"#,
        image = scene.archive.display()
    ));
    assert!(loaded.ends_with("[0]\n"), "{loaded}");
    check(DOCUMENT, &scene.shell, &scene.host, &[CREATE, WILDCARDS, USE, CONTENT, MANAGE]);
}

const CREATE: &[Row] = &[
    row(
        75,
        r#"az acr token create --name MyToken --registry $name \
  --repository samples/hello-world \
  content/write content/read \
  --output json
curl -s -u "$client_id:$client_secret" https://$registry/registries/$name/tokens/MyToken | jq -c .properties.credentials.certificates"#,
        &[
            "\"creationDate\"",
            "\"expiry\": null",
            "\"name\": \"password1\"",
            "\"value\": \"",
            "\"name\": \"password2\"",
            "\"username\": \"MyToken\"",
            "/providers/Microsoft.ContainerRegistry/registries/registry/tokens/MyToken\"",
            "\"provisioningState\": \"Succeeded\"",
            "/scopeMaps/MyToken-scope-map\"",
            "\"status\": \"enabled\"",
            "\"type\": \"Microsoft.ContainerRegistry/registries/tokens\"",
            "\n[]\n",
        ],
    ),
    row(
        76,
        "az acr token show --name MyToken --registry $name --query 'credentials.passwords[].value'",
        &["[]"],
    ),
    row(
        77,
        r#"az acr scope-map create --name MyScopeMap --registry $name \
  --repository samples/hello-world \
  content/write content/read \
  --description "Sample scope map""#,
        &[
            "\"repositories/samples/hello-world/content/write\"",
            "\"repositories/samples/hello-world/content/read\"",
            "\"description\": \"Sample scope map\"",
        ],
    ),
    row(
        78,
        r"az acr token create --name MyToken \
  --registry $name \
  --scope-map MyScopeMap > made.json
jq -r .scopeMapId made.json
keep MADE_PASSWORD $(jq -r '.credentials.passwords[0].value' made.json); rm made.json",
        &["/scopeMaps/MyScopeMap"],
    ),
];

const WILDCARDS: &[Row] = &[
    row(
        79,
        r#"az acr scope-map create --name MyScopeMapWildcard --registry $name \
  --repository samples/* \
  content/write content/read \
  --description "Sample scope map with wildcards""#,
        &["\"repositories/samples/*/content/write\"", "\"repositories/samples/*/content/read\""],
    ),
    row(
        80,
        r"az acr token create --name MyTokenWildcard \
  --registry $name \
  --scope-map MyScopeMapWildcard",
        &["/scopeMaps/MyScopeMapWildcard"],
    ),
    row(
        81,
        r"
az acr token delete --name MyTokenWildcard --registry $name --yes
az acr token create --name MyTokenWildcard --registry $name \
  --repository samples/* \
  content/write content/read",
        &["/scopeMaps/MyTokenWildcard-scope-map"],
    ),
    row(
        82,
        r#"
password=$(az acr token create --name MyTokenAdditive --registry $name --repository sample/* content/read --repository sample/teamA/* content/write --repository sample/teamA/projectB content/delete --query 'credentials.passwords[0].value' -o tsv 2>/dev/null)
for repository in sample/teama/projectb sample/teama/projectc sample/teamb; do
    claims "$(curl -s -u "MyTokenAdditive:$password" "https://$registry/oauth2/token?service=$registry&scope=repository:$repository:pull,push,delete" | jq -r .access_token)" | jq -c '.access[0].actions'
done"#,
        &["[\"pull\",\"push\",\"delete\"]", "[\"pull\",\"push\"]", "[\"pull\"]"],
    ),
    row(
        83,
        r"
for wildcard in 'sample/*/teamA' 'sample/teamA*' 'sample/teamA/*/projectB/*'; do
    az acr scope-map create --name Invalid --registry $name --repository $wildcard content/read && echo taken
done",
        &[
            "repositories/sample/*/teama/content/read`: text after the `*`",
            "repositories/sample/teama*/content/read`: no slash before the `*` (write `/*`",
            "repositories/sample/teama/*/projectb/*/content/read`: more than one `*`",
            "!taken",
            "[1]",
        ],
    ),
    row(
        84,
        r"az acr token create --name MyTokenRoot --registry $name \
  --repository * \
  content/write content/read > made.json
jq -r .scopeMapId made.json
keep ROOT_PASSWORD $(jq -r '.credentials.passwords[0].value' made.json); rm made.json",
        &["/scopeMaps/MyTokenRoot-scope-map"],
    ),
    row(
        85,
        r"
docker login -u MyTokenRoot -p $ROOT_PASSWORD $registry
docker tag localhost/image:v1 $registry/sample/teamc/teamcimage:v1
docker push $registry/sample/teamc/teamcimage:v1",
        &["Login Succeeded", "Writing manifest"],
    ),
];

const USE: &[Row] = &[
    row(
        86,
        r"
keep TOKEN_NAME MyToken
keep TOKEN_PWD $MADE_PASSWORD
. $HOME/variables
echo $TOKEN_PWD | docker login --username $TOKEN_NAME --password-stdin $registry",
        &["Login Succeeded"],
    ),
    row(
        87,
        "az acr login --name $name --username MyToken --password $TOKEN_PWD",
        &["Login Succeeded"],
    ),
    row(
        88,
        r"
docker push $registry/samples/hello-world:v1 && echo pushed
docker push $registry/samples/nginx:v1",
        &["pushed", "requested access to the resource is denied", "[125]"],
    ),
    row(
        89,
        r"az acr scope-map update \
  --name MyScopeMap \
  --registry $name \
  --add-repository samples/nginx content/write content/read \
  --remove-repository samples/hello-world content/write",
        &[
            "repositories/samples/hello-world/content/read",
            "!repositories/samples/hello-world/content/write",
        ],
    ),
    row(
        90,
        r"
docker push $registry/samples/nginx:v1 && echo pushed
docker push $registry/samples/hello-world:v1
docker pull $registry/samples/nginx:v1 && docker pull $registry/samples/hello-world:v1",
        &["pushed", "denied", "Writing manifest", "Writing manifest"],
    ),
    row(
        91,
        r"
az acr scope-map update \
  --name MyScopeMap \
  --registry $name \
  --add-repository samples/nginx content/delete && echo updated
az acr scope-map update \
  --name MyScopeMap \
  --registry $name \
  --add-repository samples/hello-world metadata/read",
        &["updated", "repositories/samples/hello-world/metadata/read"],
    ),
];

const CONTENT: &[Row] = &[
    row(
        92,
        r"az acr repository delete \
  --name $name --repository samples/nginx \
  --username $TOKEN_NAME --password $TOKEN_PWD --yes",
        &["\"manifestsDeleted\"", "sha256:"],
    ),
    row(
        93,
        r#"
docker push $registry/samples/nginx:v1
digest=$(curl -s -I -u "$TOKEN_NAME:$TOKEN_PWD" -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' https://$registry/v2/samples/nginx/manifests/v1 | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //p')
curl -s -o /dev/null -w '%{http_code}\n' -u "$TOKEN_NAME:$TOKEN_PWD" -X DELETE https://$registry/v2/samples/nginx/manifests/$digest"#,
        &["202"],
    ),
    row(
        94,
        r"az acr repository show-tags \
  --name $name --repository samples/hello-world \
  --username $TOKEN_NAME --password $TOKEN_PWD",
        &["[\n  \"v1\"\n]"],
    ),
    row(
        95,
        "az acr manifest list-metadata --registry $name --name samples/hello-world --username $TOKEN_NAME --password $TOKEN_PWD",
        &["\"digest\": \"sha256:", "\"v1\""],
    ),
    row(
        96,
        "az acr repository show --name $name --repository samples/hello-world --username $TOKEN_NAME --password $TOKEN_PWD",
        &["\"imageName\": \"samples/hello-world\"", "\"tagCount\": 1"],
    ),
    row(
        97,
        r"
az acr scope-map update --name MyScopeMap --registry $name --add-repository samples/hello-world metadata/write -o none
update() { az acr repository update --name $name --image samples/hello-world:v1 --username $TOKEN_NAME --password $TOKEN_PWD --write-enabled $1; }
update false && update true",
        &["\"writeEnabled\": false", "\"writeEnabled\": true"],
    ),
    row(
        98,
        r"
az acr repository untag --name $name --image samples/hello-world:v1 --username $TOKEN_NAME --password $TOKEN_PWD
az acr repository show-tags --name $name --repository samples/hello-world --username $TOKEN_NAME --password $TOKEN_PWD -o tsv | wc -l",
        &["0\n"],
    ),
];

const MANAGE: &[Row] = &[
    row(
        99,
        "az acr scope-map list --registry $name --output table",
        &[
            "NAME",
            "CREATION DATE",
            "DESCRIPTION",
            "_repositories_admin",
            "_repositories_pull",
            "_repositories_push",
            "Sample scope map",
            "!SystemDefined",
        ],
    ),
    row(
        100,
        "az acr scope-map show --name MyScopeMap --registry $name",
        &["\"name\": \"MyScopeMap\""],
    ),
    row(
        101,
        "az acr token list --registry $name --output table",
        &["NAME", "SCOPE MAP", "STATUS", "MyToken", "MyScopeMap", "Enabled"],
    ),
    row(
        102,
        "az acr token show --name MyToken --registry $name",
        &["\"name\": \"password1\"", "\"status\": \"enabled\""],
    ),
    row(
        103,
        r"
TOKEN_PWD=$(az acr token credential generate \
  --name MyToken --registry $name --expiration-in-days 30 \
  --password1 --query 'passwords[0].value' --output tsv 2>/dev/null)
keep TOKEN_PWD $TOKEN_PWD
docker login -u MyToken -p $TOKEN_PWD $registry
az acr token show --name MyToken --registry $name --query 'credentials.passwords[0].expiry'",
        &["Login Succeeded", "\"20"],
    ),
    row(
        104,
        r"
az acr scope-map create --name MyNewScopeMap --registry $name --repository samples/hello-world content/read -o none
az acr token update --name MyToken --registry $name \
  --scope-map MyNewScopeMap",
        &["/scopeMaps/MyNewScopeMap"],
    ),
    row(
        105,
        r"
az acr token update --name MyToken --registry $name \
  --status disabled
docker login -u MyToken -p $TOKEN_PWD $registry",
        &["\"status\": \"disabled\"", "unauthorized", "[1]"],
    ),
    row(
        106,
        r"
az acr token delete --name MyToken --registry $name --yes
az acr token show --name MyToken --registry $name",
        &["ResourceNotFound", "there is no token `MyToken`", "[3]"],
    ),
    row(
        107,
        r#"
catalog() { curl -s -o /dev/null -w '%{http_code}\n' -u "$1:$2" https://$registry/v2/_catalog; }
password=$(az acr token create --name MyTokenNarrow --registry $name --repository samples/* content/read metadata/read --query 'credentials.passwords[0].value' -o tsv 2>/dev/null)
catalog MyTokenNarrow $password
password=$(az acr token create --name MyTokenLists --registry $name --repository * metadata/read --query 'credentials.passwords[0].value' -o tsv 2>/dev/null)
catalog MyTokenLists $password"#,
        &["401\n", "200\n"],
    ),
    row(
        108,
        r#"
soon=$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)
password=$(az acr token credential generate --name MyTokenNarrow --registry $name --expiration $soon --password1 --query 'passwords[0].value' -o tsv 2>/dev/null)
token() { curl -s -o /dev/null -w '%{http_code}\n' -u "MyTokenNarrow:$password" "https://$registry/oauth2/token?service=$registry"; }
token; sleep 13; token"#,
        &["200\n", "401\n"],
    ),
    row(113, "az version --query '\"azure-cli\"'", &["\"2.91.0\""]),
];
