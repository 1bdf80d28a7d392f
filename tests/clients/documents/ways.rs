//! "Authenticating using Azure Container Registry": statements 52 to 64.

use super::scene::Scene;
use super::statements::{Row, check, row};

const DOCUMENT: &str = "Ways to authenticate";

#[test]
fn ways_to_authenticate() {
    let scene = Scene::new();
    scene.push(&["samples/hello-world:v1"]);
    scene.sign_in();
    for (variable, role) in [("puller", "AcrPull"), ("pusher", "AcrPush"), ("owner", "Owner")] {
        let lines = format!("service_principal {variable} {role}");
        let printed = scene.shell.types(&format!("{SERVICE_PRINCIPAL}\n{lines}"));
        assert!(printed.ends_with("[0]\n"), "{printed}");
    }
    check(DOCUMENT, &scene.shell, &scene.host, &[INDIVIDUAL, PRINCIPALS, ADMIN]);
}

/// Makes a service principal with a role; its id and its secret are kept.
const SERVICE_PRINCIPAL: &str = r#"
service_principal() {
    set -e
    local id=$(cat /proc/sys/kernel/random/uuid) url=https://$registry/registries/$name/servicePrincipals
    curl -sSf -o /dev/null -u "$client_id:$client_secret" -X PUT -H 'Content-Type: application/json' -d "{\"roles\":[\"$2\"]}" "$url/$id"
    keep "$1" "$id"
    keep "$1_secret" "$(curl -sSf -u "$client_id:$client_secret" -X POST -H 'Content-Type: application/json' -d '{}' "$url/$id/secrets" | jq -r .secret)"
}"#;

const INDIVIDUAL: &[Row] = &[
    row(
        52,
        r#"
az acr login --name $name
docker pull $registry/samples/hello-world:v1
docker push $registry/samples/hello-world:v1
az acr repository list -n $name -o tsv"#,
        &["Login Succeeded", "Writing manifest", "samples/hello-world"],
    ),
    row(
        53,
        r#"
az login --use-device-code -o none 2> $HOME/shown &
until_written $HOME/shown
signs_in octo "$(grep -o 'http[^ ]*' $HOME/shown)" "$(sed -n 's/.*enter the code \([^ ]*\) .*/\1/p' $HOME/shown)"
wait $!
az acr login --name $name
docker pull $registry/samples/hello-world:v1
az login --service-principal -u $client_id -p "$client_secret" --tenant $tenant -o none"#,
        &["Login Succeeded", "Writing manifest"],
    ),
    row(
        54,
        r#"claims "$(az acr login -n $name --expose-token --query accessToken -o tsv 2>/dev/null)" | jq '(.exp - .iat) / 3600 | floor'"#,
        &["3\n"],
    ),
    row(
        55,
        "az acr login --name $name --expose-token",
        &["\"accessToken\": \"ey", "\"loginServer\": \"REGISTRY\""],
    ),
    row(
        56,
        r#"
token=$(az acr login --name $name --expose-token --query accessToken -o tsv 2>/dev/null)
docker login $registry --username 00000000-0000-0000-0000-000000000000 --password $token"#,
        &["Login Succeeded"],
    ),
];

const PRINCIPALS: &[Row] = &[
    row(
        57,
        r#"
docker login $registry -u $puller -p $puller_secret && docker pull $registry/samples/hello-world:v1
docker push $registry/samples/hello-world:v1
curl -s -o /dev/null -w '%{http_code}\n' -u "$puller:$puller_secret" https://$registry/registries/$name/servicePrincipals/$puller"#,
        &["Login Succeeded", "Writing manifest", "denied", "403\n"],
    ),
    row(
        58,
        r#"
docker login $registry -u $pusher -p $pusher_secret && docker pull $registry/samples/hello-world:v1
docker push $registry/samples/hello-world:v1
curl -s -o /dev/null -w '%{http_code}\n' -u "$pusher:$pusher_secret" https://$registry/registries/$name/servicePrincipals/$pusher"#,
        &["Login Succeeded", "Writing manifest", "Writing manifest", "403\n"],
    ),
    row(
        59,
        r#"
docker login $registry -u $owner -p $owner_secret && docker pull $registry/samples/hello-world:v1
docker push $registry/samples/hello-world:v1
curl -s -o /dev/null -w '%{http_code}\n' -u "$owner:$owner_secret" -X PUT -H 'Content-Type: application/json' -d '{"roles":["AcrPull"]}' https://$registry/registries/$name/servicePrincipals/$puller"#,
        &["Login Succeeded", "Writing manifest", "Writing manifest", "200\n"],
    ),
    row(
        60,
        r#"
for pair in "$puller:$puller_secret" "$pusher:$pusher_secret"; do
    az login --service-principal -u "${pair%%:*}" -p "${pair#*:}" --tenant $tenant -o none && az acr login -n $name
done
az login --service-principal -u $client_id -p "$client_secret" --tenant $tenant -o none"#,
        &["Login Succeeded", "Login Succeeded"],
    ),
];

const ADMIN: &[Row] = &[
    row(
        61,
        r#"
az acr show -n $name --query adminUserEnabled
az acr update -n $name --admin-enabled true --query adminUserEnabled
passwords=($(az acr credential show -n $name --query 'passwords[].value' -o tsv))
keep first ${passwords[0]}; keep second ${passwords[1]}; password=${passwords[0]}
docker login $registry -u $name -p $password
az acr update -n $name --admin-enabled false -o none
docker login $registry -u $name -p $password
az acr update -n $name --admin-enabled true -o none
docker login $registry -u $name -p $password"#,
        &["false", "true", "Login Succeeded", "unauthorized", "Login Succeeded"],
    ),
    row(
        62,
        r#"
for password in $first $second; do docker login $registry -u $name -p $password; done
az acr credential renew -n $name --password-name password -o none
docker login $registry -u $name -p $second
docker login $registry -u $name -p $first"#,
        &["Login Succeeded", "Login Succeeded", "Login Succeeded", "unauthorized", "[1]"],
    ),
    row(
        63,
        r#"
password=$(az acr credential renew -n $name --password-name password --query 'passwords[0].value' -o tsv)
docker logout $registry
(sleep 2; echo $name; sleep 1; echo $password; sleep 2) | script -qec "docker login $registry" /dev/null"#,
        &["Username", "Password", "Login Succeeded"],
    ),
];
