//! "Azure Container Registry integration with Azure Active Directory": statements 1 to 43.

use super::scene::Scene;
use super::statements::{Row, check, row};

const DOCUMENT: &str = "AAD integration";

#[test]
fn aad_integration() {
    let scene = Scene::new();
    scene.push(&["alpine:v1", "contoso-marketing:latest", "node:v1"]);
    for tag in ["latest", "v1", "v2", "v3"] {
        scene.push(&[&format!("hello-world:{tag}")]);
    }
    scene.sign_in();
    let shell = &scene.shell;
    let printed = shell.types(BEFORE);
    assert!(printed.ends_with("[0]\n"), "{printed}");
    check(DOCUMENT, shell, &scene.host, &[CLI, EXCHANGE, TOKEN, HELM, CALLS, SCRIPTS]);
}

/// The admin account, a person's tokens at the provider, and a chart.
const BEFORE: &str = r#"set -e
az acr update -n $name --admin-enabled true -o none
keep user $name
keep password "$(az acr credential show -n $name --query 'passwords[0].value' -o tsv)"
granted=$(curl -sS -u "dev:$dev_secret" -d "grant_type=refresh_token&refresh_token=$first_refresh_token" $issuer/token)
keep aad_access_token "$(jq -r .access_token <<< "$granted")"
keep aad_refresh_token "$(jq -r .refresh_token <<< "$granted")""#;

const CLI: &[Row] = &[
    row(1, "az acr login -n $name", &["Login Succeeded"]),
    row(
        2,
        r#"
printf '#!/bin/sh\nprintf %%s "$1" > "$HOME/opened"\n' > $HOME/bin/browser; chmod +x $HOME/bin/browser
BROWSER="$HOME/bin/browser %s" az login -o none &
until_written $HOME/opened
signs_in octo "$(cat $HOME/opened)"
wait $!
az account show --query user -o json
az acr login -n $name
az login --service-principal -u $client_id -p "$client_secret" --tenant $tenant -o none"#,
        &[
            "You have logged into",
            "\"name\": \"octo@people.test\"",
            "\"type\": \"user\"",
            "Login Succeeded",
        ],
    ),
    row(
        3,
        "az acr repository list -n $name",
        &["\"alpine\"", "\"contoso-marketing\"", "\"hello-world\"", "\"node\""],
    ),
    row(
        4,
        r#"
refresh=$(az acr login -n $name --expose-token --query refreshToken -o tsv 2>/dev/null)
access=$(curl -s -d "grant_type=refresh_token&service=$registry&scope=repository:hello-world:metadata_read&refresh_token=$refresh" https://$registry/oauth2/token | jq -r .access_token)
curl -s -H "Authorization: Bearer $access" https://$registry/v2/hello-world/tags/list"#,
        &[r#"{"name":"hello-world","tags":["latest","v1","v2","v3"]}"#],
    ),
    row(
        5,
        r#"claims "$(az acr login -n $name --expose-token --query refreshToken -o tsv 2>/dev/null)""#,
        &[
            r#"{"jti":""#,
            r#","sub":""#,
            r#","nbf":"#,
            r#","exp":"#,
            r#","iat":"#,
            r#","iss":"Azure Container Registry","aud":"REGISTRY","version":"1.0","#,
            r#""grant_type":"refresh_token","#,
            r#""tenant":""#,
            r#""permissions":{"#,
            r#""roles":[]"#,
            r#""generation":"#,
        ],
    ),
    row(
        6,
        r#"
refresh=$(az acr login -n $name --expose-token --query refreshToken -o tsv 2>/dev/null)
claims "$(curl -s -d "grant_type=refresh_token&service=$registry&scope=registry:catalog:*&refresh_token=$refresh" https://$registry/oauth2/token | jq -r .access_token)""#,
        &[
            r#"{"jti":""#,
            r#","sub":""#,
            r#","nbf":"#,
            r#","exp":"#,
            r#","iat":"#,
            r#","iss":"Azure Container Registry","aud":"REGISTRY","version":"1.0","#,
            r#""access":[{"type":"registry","name":"catalog","actions":["*"]}],"#,
            r#""roles":[],"#,
            r#""grant_type":"access_token""#,
            r#""generation":"#,
        ],
    ),
];

const EXCHANGE: &[Row] = &[
    row(
        7,
        r#"curl -s -X POST -H "Content-Type: application/x-www-form-urlencoded" -d "grant_type=access_token&service=$registry&access_token=$aad_access_token" https://$registry/oauth2/exchange"#,
        &[r#"{"refresh_token":"ey"#],
    ),
    row(
        8,
        r#"
aad_access_token=$(az account get-access-token --query accessToken -o tsv)
curl -s -X POST -H "Content-Type: application/x-www-form-urlencoded" -d "grant_type=access_token&service=$registry&tenant=$tenant&access_token=$aad_access_token" https://$registry/oauth2/exchange"#,
        &[r#"{"refresh_token":"ey"#],
    ),
    row(
        9,
        r#"
for tenant in "" "&tenant=$tenant"; do
    answer=$(curl -s -d "grant_type=refresh_token&service=$registry$tenant&refresh_token=$aad_refresh_token" https://$registry/oauth2/exchange)
    cut -c1-20 <<< "$answer"
    aad_refresh_token=$(jq -r .aad_refresh_token <<< "$answer")
done
keep aad_refresh_token "$aad_refresh_token""#,
        &["{\"refresh_token\":\"ey", "{\"refresh_token\":\"ey"],
    ),
    row(
        10,
        r#"
answer=$(curl -s -d "grant_type=access_token_refresh_token&service=$registry&refresh_token=$aad_refresh_token&access_token=$aad_access_token" https://$registry/oauth2/exchange)
cut -c1-20 <<< "$answer"
keep aad_refresh_token "$(jq -r .aad_refresh_token <<< "$answer")""#,
        &["{\"refresh_token\":\"ey"],
    ),
    row(
        11,
        r#"
answer=$(curl -s -d "grant_type=refresh_token&service=$registry&refresh_token=$aad_refresh_token" https://$registry/oauth2/exchange)
sent_back=$(jq -r .aad_refresh_token <<< "$answer")
curl -s -u "dev:$dev_secret" -d "grant_type=refresh_token&refresh_token=$sent_back" $issuer/token > answer.json
jq -r .token_type answer.json
keep aad_refresh_token "$(jq -r .refresh_token answer.json)"; rm answer.json"#,
        &["Bearer"],
    ),
    row(
        12,
        r#"
aad_access_token=$(az account get-access-token --query accessToken -o tsv)
curl -v -X POST -H "Content-Type: application/x-www-form-urlencoded" -d \
    "grant_type=access_token&service=$registry&tenant=$tenant&access_token=$aad_access_token" \
    https://$registry/oauth2/exchange"#,
        &["< HTTP/1.1 200 OK", "Content-Type: application/json", "{\"refresh_token\":\"ey"],
    ),
    row(
        13,
        r#"
for form in grant_type=access_token grant_type=refresh_token \
    "grant_type=access_token_refresh_token&access_token=$aad_access_token" \
    "grant_type=access_token_refresh_token&refresh_token=$aad_refresh_token" "access_token=$aad_access_token"; do
    curl -s -w '%{http_code}\n' -d "service=$registry&$form" https://$registry/oauth2/exchange
done
curl -s -w '%{http_code}\n' -d "grant_type=access_token&access_token=$aad_access_token" https://$registry/oauth2/exchange"#,
        &[
            "no access_token",
            "400\n",
            "no refresh_token",
            "400\n",
            "no refresh_token",
            "400\n",
            "no access_token",
            "400\n",
            "no grant_type",
            "400\n",
            "no service",
            "400\n",
        ],
    ),
    row(
        14,
        r#"
answer=$(curl -s -d "grant_type=access_token&service=$registry&access_token=$aad_access_token" https://$registry/oauth2/exchange)
jq -c keys <<< "$answer"
keep acr_refresh_token "$(jq -r .refresh_token <<< "$answer")""#,
        &["[\"refresh_token\"]"],
    ),
    row(
        15,
        r#"
acr_username="00000000-0000-0000-0000-000000000000"
docker login -u "$acr_username" -p "$acr_refresh_token" $registry"#,
        &["Login Succeeded"],
    ),
    row(16, "docker pull $registry/contoso-marketing", &["Writing manifest"]),
    row(
        17,
        r#"
# What the helper does when the registry's refresh token has ended: the provider's gives another.
for again in 1 2; do
    answer=$(curl -s -d "grant_type=refresh_token&service=$registry&refresh_token=$aad_refresh_token" https://$registry/oauth2/exchange)
    aad_refresh_token=$(jq -r .aad_refresh_token <<< "$answer")
    jq -r .refresh_token <<< "$answer" | docker login -u 00000000-0000-0000-0000-000000000000 --password-stdin $registry
done
keep aad_refresh_token "$aad_refresh_token""#,
        &["Login Succeeded", "Login Succeeded"],
    ),
];

const TOKEN: &[Row] = &[
    row(
        18,
        "curl -v https://$registry/v2/_catalog",
        &[
            "< HTTP/1.1 401 Unauthorized",
            "< Www-Authenticate: Bearer realm=",
            r#",service="REGISTRY",scope="registry:catalog:*""#,
        ],
    ),
    row(
        19,
        "curl -s https://$registry/v2/_catalog",
        &[
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"registry","Name":"catalog","Action":"*"}]}]}"#,
        ],
    ),
    row(
        20,
        "curl -v https://$registry/v2/_catalog",
        &[r#"Bearer realm="https://REGISTRY/oauth2/token","#],
    ),
    row(
        21,
        r#"
scope="registry:catalog:*"
curl -v -X POST -H "Content-Type: application/x-www-form-urlencoded" -d \
"grant_type=refresh_token&service=$registry&scope=$scope&refresh_token=$acr_refresh_token" \
https://$registry/oauth2/token > answer.json
jq -c '.access_token | .[:2]' answer.json
keep acr_access_token "$(jq -r .access_token answer.json)"; rm answer.json"#,
        &["< HTTP/1.1 200 OK", "\"ey\""],
    ),
    row(
        22,
        r#"
one="repository:alpine:pull" other="repository:node:pull"
for scopes in "scope=$one&scope=$other" "scope=$one%20$other"; do
    claims "$(curl -s -d "grant_type=refresh_token&service=$registry&$scopes&refresh_token=$acr_refresh_token" https://$registry/oauth2/token | jq -r .access_token)" | jq -c .access
done"#,
        &[
            r#"[{"type":"repository","name":"alpine","actions":["pull"]},{"type":"repository","name":"node","actions":["pull"]}]"#,
            r#"[{"type":"repository","name":"alpine","actions":["pull"]},{"type":"repository","name":"node","actions":["pull"]}]"#,
        ],
    ),
    row(
        23,
        r#"curl -s -d "grant_type=refresh_token&service=$registry&scope=registry:catalog:*&refresh_token=$acr_refresh_token" https://$registry/oauth2/token | jq -c keys"#,
        &["[\"access_token\"]"],
    ),
    row(
        24,
        r#"curl -s -w '%{http_code}\n' -H "Authorization: Bearer $acr_access_token" https://$registry/v2/hello-world/tags/list"#,
        &["metadata_read", "401"],
    ),
];

const HELM: &[Row] = &[
    row(
        25,
        "curl -v https://$registry/helm/v1/repo/index.yaml",
        &[
            "< HTTP/1.1 401 Unauthorized",
            r#"< Www-Authenticate: Bearer realm="https://REGISTRY/oauth2/token",service="REGISTRY",scope="artifact-repository:repo:pull""#,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"artifact-repository","Name":"repo","Action":"pull"}]}]}"#,
        ],
    ),
    row(
        26,
        r#"
scope="artifact-repository:repo:pull"
curl -v -X POST -H "Content-Type: application/x-www-form-urlencoded" -d \
"grant_type=refresh_token&service=$registry&scope=$scope&refresh_token=$acr_refresh_token" \
https://$registry/oauth2/token > answer.json
claims "$(jq -r .access_token answer.json)" | jq -c .access"#,
        &[
            "< HTTP/1.1 200 OK",
            r#"[{"type":"artifact-repository","name":"repo","actions":["pull"]}]"#,
        ],
    ),
    row(
        27,
        r#"
for method in PUT DELETE; do
    curl -s -o /dev/null -D - -X $method https://$registry/helm/v1/repo/_blobs/app-1.0.0.tgz
done
claims "$(curl -s -d "grant_type=refresh_token&service=$registry&scope=artifact-repository:repo:*&refresh_token=$acr_refresh_token" https://$registry/oauth2/token | jq -r .access_token)" | jq -c .access"#,
        &[
            "scope=\"artifact-repository:repo:*\"",
            "scope=\"artifact-repository:repo:*\"",
            r#"[{"type":"artifact-repository","name":"repo","actions":["#,
        ],
    ),
];

const CALLS: &[Row] = &[
    row(
        28,
        r#"curl -v -H "Authorization: Bearer $acr_access_token" https://$registry/v2/_catalog"#,
        &[
            "< HTTP/1.1 200 OK",
            r#"{"repositories":["alpine","contoso-marketing","hello-world","node"]}"#,
        ],
    ),
    row(
        29,
        r#"
limit=2
curl -v -H "Authorization: Bearer $acr_access_token" "https://$registry/v2/_catalog?n=$limit""#,
        &[
            "< HTTP/1.1 200 OK",
            "Content-Type: application/json",
            "Link: </v2/_catalog?last=contoso-marketing&n=2&orderby=>; rel=\"next\"",
            r#"{"repositories":["alpine","contoso-marketing"]}"#,
        ],
    ),
    row(
        30,
        r#"curl -v -H "Authorization: Bearer $acr_access_token" "https://$registry/v2/_catalog?last=contoso-marketing&n=2&orderby=""#,
        &["< HTTP/1.1 200 OK", r#"{"repositories":["hello-world","node"]}"#, "!Link:"],
    ),
    row(
        31,
        r#"bash $(filled pages-of-catalog.sh "registry=$registry" "acr_access_token=$acr_access_token")"#,
        &[
            "Operation\n/v2/_catalog?n=2",
            "Catalog\n{\"repositories\":[\"alpine\",\"contoso-marketing\"]}",
            "Operation\n/v2/_catalog?last=contoso-marketing&n=2&orderby=",
            "Catalog\n{\"repositories\":[\"hello-world\",\"node\"]}",
        ],
    ),
    row(
        32,
        r#"
answer=$(curl -s -d "grant_type=refresh_token&service=$registry&scope=repository:hello-world:metadata_read&refresh_token=$acr_refresh_token" https://$registry/oauth2/token)
keep acr_access_token "$(jq -r .access_token <<< "$answer")"
. $HOME/variables
image="hello-world"
curl -v -H "Authorization: Bearer $acr_access_token" "https://$registry/v2/$image/tags/list""#,
        &["< HTTP/1.1 200 OK", r#"{"name":"hello-world","tags":["latest","v1","v2","v3"]}"#],
    ),
    row(
        33,
        r#"
image="hello-world"
limit=2
curl -v -H "Authorization: Bearer $acr_access_token" "https://$registry/v2/$image/tags/list?n=$limit""#,
        &[
            "< HTTP/1.1 200 OK",
            "Content-Type: application/json",
            "Link: </v2/hello-world/tags/list?last=v1&n=2&orderby=>; rel=\"next\"",
            r#"{"name":"hello-world","tags":["latest","v1"]}"#,
        ],
    ),
    row(
        34,
        r#"
image="hello-world"
curl -v -H "Authorization: Bearer $acr_access_token" "https://$registry/v2/$image/tags/list?last=v1&n=2&orderby=""#,
        &["< HTTP/1.1 200 OK", r#"{"name":"hello-world","tags":["v2","v3"]}"#, "!Link:"],
    ),
    row(
        35,
        r#"bash $(filled pages-of-tags.sh "registry=$registry" "acr_access_token=$acr_access_token")"#,
        &[
            "Operation\n/v2/hello-world/tags/list?n=2",
            "Tags\n{\"name\":\"hello-world\",\"tags\":[\"latest\",\"v1\"]}",
            "Operation\n/v2/hello-world/tags/list?last=v1&n=2&orderby=",
            "Tags\n{\"name\":\"hello-world\",\"tags\":[\"v2\",\"v3\"]}",
        ],
    ),
];

const SCRIPTS: &[Row] = &[
    row(
        36,
        r#"bash $(filled catalog-with-refresh-token.sh "registry=$registry" "aad_refresh_token=$aad_refresh_token" "aad_access_token=$aad_access_token")"#,
        &[
            "ACR Refresh Token\ney",
            "Challenge\n< Www-Authenticate: Bearer realm=\"https://REGISTRY/oauth2/token\"",
            "Scope\nregistry:catalog:*\n",
            "ACR Access Token\ney",
            "Catalog\n{\"repositories\":[\"alpine\",\"contoso-marketing\",\"hello-world\",\"node\"]}",
        ],
    ),
    row(
        37,
        r#"
for pair in "$user:$password" "$client_id:$client_secret"; do
    bash $(filled catalog-with-basic.sh "registry=$registry" "user=${pair%%:*}" "password=${pair#*:}")
done"#,
        &[
            "Catalog\n{\"repositories\":[\"alpine\",\"contoso-marketing\",\"hello-world\",\"node\"]}",
            "Catalog\n{\"repositories\":[\"alpine\",\"contoso-marketing\",\"hello-world\",\"node\"]}",
        ],
    ),
    row(
        38,
        r#"bash $(filled catalog-with-bearer.sh "registry=$registry" "user=$user" "password=$password")"#,
        &[
            "Challenge\n< Www-Authenticate: Bearer realm=\"https://REGISTRY/oauth2/token\"",
            "Scope\nregistry:catalog:*\n",
            "ACR Access Token\ney",
            "Catalog\n{\"repositories\":[\"alpine\",\"contoso-marketing\",\"hello-world\",\"node\"]}",
        ],
    ),
    row(
        39,
        r#"bash $(filled login-for-one-repository.sh "REGISTRY=$registry" "REPOSITORY=contoso-marketing")"#,
        &[
            "ACR Refresh Token obtained.",
            "ACR Access Token obtained.",
            "Login Succeeded",
            "Writing manifest",
        ],
    ),
    row(
        40,
        r#"
answer=$(curl -s -X POST -H "Content-Type: application/x-www-form-urlencoded" -d "grant_type=refresh_token&service=$registry&scope=repository:contoso-marketing:pull&scope=repository:node:pull,push&refresh_token=$acr_refresh_token" https://$registry/oauth2/token)
docker login -u 00000000-0000-0000-0000-000000000000 -p "$(jq -r .access_token <<< "$answer")" $registry
docker pull $registry/contoso-marketing && docker pull $registry/node:v1"#,
        &["Login Succeeded", "Writing manifest", "Writing manifest"],
    ),
    row(
        41,
        r#"bash $(filled helm-index.sh "registry=$registry" "user=$user" "password=$password")"#,
        &[
            "Scope\nartifact-repository:repo:pull\n",
            "ACR Access Token\ney",
            "Location=https://REGISTRY/helm/v1/repo/",
            "index.yaml\n----------\n",
            "apiVersion",
        ],
    ),
    row(
        42,
        r#"
stale=$(curl -sS -u "stale:stale-secret" -d "grant_type=client_credentials&scope=registry" $issuer/token | jq -r .access_token)
sleep 3
curl -s -w '%{http_code}\n' -d "grant_type=access_token&service=$registry&access_token=$stale" https://$registry/oauth2/exchange"#,
        &["UNAUTHORIZED", "401"],
    ),
    row(
        43,
        r#"
cut -d. -f1 <<< "$acr_access_token" | tr '_-' '/+' | base64 -di 2>/dev/null | jq -c .alg
claims "$acr_access_token" | jq -c .aud"#,
        &["\"ES256\"", "\"REGISTRY\""],
    ),
];
