//! "How to Authenticate an Azure ContainerRegistryClient with a scope mapped token
//! username/password": statements 65 to 74.

use super::scene::Scene;
use super::statements::{Row, check, row};
use crate::software::server::is_installed;

const DOCUMENT: &str = "Client libraries";

#[test]
fn client_libraries() {
    // The SDK for Java needs what builds it.
    if !is_installed("mvn") {
        return;
    }
    let scene = Scene::new();
    scene.push(&["team/app:v1", "team/other:v1"]);
    check(DOCUMENT, &scene.shell, &scene.host, &[TOKEN, PROGRAMS, USER]);
    let printed = scene.shell.types(GUIDE);
    assert!(printed.ends_with("['team/app', 'team/other']\n[0]\n"), "{printed}");
}

/// The lines of the guide for the SDK for Python.
const GUIDE: &str = r#"
{
    echo "token = '$token'"
    sed -n '/^```python$/,/^```$/{/^```/!p}' $CLIENTS/../../docs/acr.md | sed "s/localhost:5000/$registry/"
    echo "print(list(client.list_repository_names()))"
} > $HOME/guide.py
$PYTHON $HOME/guide.py"#;

const TOKEN: &[Row] = &[row(
    65,
    r#"
scope="https://$registry/.default"
answer=$(curl -s -d "grant_type=client_credentials&client_id=$client_id&scope=$scope" --data-urlencode "client_secret=$client_secret" https://$registry/$tenant/oauth2/v2.0/token)
keep token "$(jq -r .access_token <<< "$answer")"
curl -s -d "grant_type=access_token&service=$registry" --data-urlencode "access_token=$(jq -r .access_token <<< "$answer")" https://$registry/oauth2/exchange"#,
    &["{\"refresh_token\":\"ey"],
)];

/// As they are written the programs ask without a name; with the token as a credential they work.
const PROGRAMS: &[Row] = &[
    row(
        66,
        r#"ENDPOINT=https://$registry TOKEN=$token $PYTHON $SCRIPTS/user_and_password.py"#,
        &["ClientAuthenticationError", "!team/app", "[1]"],
    ),
    row(
        67,
        r#"$PYTHON $CLIENTS/sdk.py "{\"endpoint\":\"https://$registry\",\"who\":{\"token\":\"$token\"},\"calls\":[[\"repositories\"]]}""#,
        &[r#"[{"value": ["team/app", "team/other"]}]"#],
    ),
    row(
        68,
        r#"
cp $SCRIPTS/user_and_password.ts $HOME/ && ln -sfn $CLIENTS/node_modules $HOME/node_modules
$CLIENTS/../../web/node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module nodenext --target es2022 --types "" $HOME/user_and_password.ts"#,
        &[
            "Argument of type 'string' is not assignable to parameter of type 'TokenCredential'",
            "[1]",
        ],
    ),
    row(
        69,
        r#"node $CLIENTS/sdk.mjs "{\"endpoint\":\"https://$registry\",\"who\":{\"token\":\"$token\"},\"calls\":[[\"repositories\"]]}""#,
        &["team/app", "team/other"],
    ),
    row(
        70,
        r#"javac -cp "$JAVA/lib/*" -d $HOME $SCRIPTS/UserAndPassword.java"#,
        &["cannot find symbol", "symbol:   method username(String)", "[1]"],
    ),
    row(
        71,
        r#"
keytool -importcert -noprompt -alias authority -file $certificate -storetype PKCS12 -storepass password -keystore $HOME/trusted.p12
java -XX:TieredStopAtLevel=1 -Djavax.net.ssl.trustStorePassword=password -Djavax.net.ssl.trustStore=$HOME/trusted.p12 -cp "$JAVA:$JAVA/lib/*" Sdk "{\"endpoint\":\"https://$registry\",\"who\":{\"token\":\"$token\"},\"calls\":[[\"repositories\"]]}""#,
        &["team/app", "team/other"],
    ),
];

const USER: &[Row] = &[
    row(
        72,
        r#"
echo $token | docker login -u token --password-stdin $registry
docker pull $registry/team/app:v1
curl -s -o /dev/null -w '%{http_code}\n' -u "token:$token" "https://$registry/oauth2/token?service=$registry&scope=repository:team/app:pull"
curl -s -o /dev/null -w '%{http_code}\n' -u "token:$token" https://$registry/v2/team/app/tags/list"#,
        &["Login Succeeded", "Writing manifest", "200\n", "200\n"],
    ),
    row(
        73,
        r#"
for program in "$PYTHON $CLIENTS/sdk.py" "node $CLIENTS/sdk.mjs"; do
    $program "{\"endpoint\":\"https://$registry\",\"who\":{\"token\":\"$token\"},\"calls\":[[\"repositories\"]]}"
done"#,
        &["team/app", "team/app"],
    ),
    row(
        74,
        r#"
id=$(cat /proc/sys/kernel/random/uuid) url=https://$registry/registries/$name/servicePrincipals
curl -sSf -o /dev/null -u "$client_id:$client_secret" -X PUT -H 'Content-Type: application/json' -d '{"roles":[]}' $url/$id
secret=$(curl -sSf -u "$client_id:$client_secret" -X POST -H 'Content-Type: application/json' -d '{}' $url/$id/secrets | jq -r .secret)
answer=$(curl -s -d "grant_type=client_credentials&client_id=$id&scope=https://$registry/.default" --data-urlencode "client_secret=$secret" https://$registry/$tenant/oauth2/v2.0/token)
curl -s -o /dev/null -w '%{http_code}\n' -d "grant_type=access_token&service=$registry" --data-urlencode "access_token=$(jq -r .access_token <<< "$answer")" https://$registry/oauth2/exchange"#,
        &["401\n"],
    ),
];
