//! "Azure Container Registry's support of getting Bearer token using Basic Authentication":
//! statements 44 to 51.

use super::scene::Scene;
use super::statements::{Row, check, row};

const DOCUMENT: &str = "Bearer token with Basic";

#[test]
fn bearer_token_with_basic() {
    let scene = Scene::new();
    scene.push(&["hello-world:latest"]);
    scene.sign_in();
    let made = scene.shell.types(
        r#"az acr token create -n MyTokenWildcard -r $name --repository hello-world content/read content/write -o json > made.json 2>/dev/null
keep user MyTokenWildcard; keep password "$(jq -r '.credentials.passwords[0].value' made.json)""#,
    );
    assert!(made.ends_with("[0]\n"), "{made}");
    check(DOCUMENT, &scene.shell, &scene.host, &[ROWS]);
}

const ROWS: &[Row] = &[
    row(
        44,
        r#"
for version in --http1.1 --http2; do
    curl -s $version -u "$user:$password" "https://$registry/oauth2/token?service=$registry" | jq -r '.access_token | .[:2]'
done"#,
        &["ey", "ey"],
    ),
    row(
        45,
        "curl -v https://$registry/v2/hello-world/manifests/latest",
        &[
            "< HTTP/1.1 401 Unauthorized",
            r#"< Www-Authenticate: Bearer realm="https://REGISTRY/oauth2/token",service="REGISTRY",scope="repository:hello-world:pull""#,
        ],
    ),
    row(
        46,
        "curl -s https://$registry/v2/hello-world/manifests/latest",
        &[
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"hello-world","Action":"pull"}]}]}"#,
        ],
    ),
    row(
        47,
        r#"
acr_credential=$(echo -n "$user:$password" | base64)
keep acr_credential "$acr_credential"
wc -l <<< "$acr_credential""#,
        &["1\n"],
    ),
    row(
        48,
        r#"
export scope="repository:hello-world:pull"
curl -v -H "Authorization: Basic $acr_credential" \
"https://$registry/oauth2/token?service=$registry&scope=$scope""#,
        &["< HTTP/1.1 200 OK", "{\"access_token\":\"ey"],
    ),
    row(
        49,
        r#"
answer=$(curl -s -H "Authorization: Basic $acr_credential" "https://$registry/oauth2/token?service=$registry&scope=repository:hello-world:pull,push")
claims "$(jq -r .access_token <<< "$answer")" | jq -c .access"#,
        &[r#"[{"type":"repository","name":"hello-world","actions":["pull","push"]}]"#],
    ),
    row(
        50,
        r#"
answer=$(curl -s -H "Authorization: Basic $acr_credential" "https://$registry/oauth2/token?service=$registry&scope=repository:hello-world:pull")
keep acr_access_token "$(jq -r .access_token <<< "$answer")"
jq -c keys <<< "$answer""#,
        &["[\"access_token\"]"],
    ),
    row(
        51,
        r#"
curl -v -H "Authorization: Bearer $acr_access_token" https://$registry/v2/hello-world/manifests/latest
curl -s -o /dev/null -w '%{http_code}\n' -H "Accept: application/vnd.oci.image.manifest.v1+json" -H "Authorization: Bearer $acr_access_token" https://$registry/v2/hello-world/manifests/latest"#,
        &[
            "< HTTP/1.1 404",
            "OCI manifest found, but accept header does not support OCI manifests",
            "200\n",
        ],
    ),
];
