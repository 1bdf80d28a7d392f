//! The guide that is printed after the start: the addresses, and commands to copy.

use std::fmt;
use std::path::Path;

/// The values in the text.
pub(super) struct Guide<'a> {
    /// The folder of the built programs.
    pub(super) built: &'a Path,
    pub(super) folder: &'a Path,
    /// The ports that clients use: of the token server, and of the registry.
    pub(super) server: u16,
    pub(super) registry: u16,
    /// The ports of both behind the gateway, where there is one.
    pub(super) upstreams: Option<[u16; 2]>,
    pub(super) password: &'a str,
    pub(super) secret: &'a str,
    pub(super) tenant: &'a str,
    /// The client that edges read with, and its secret.
    pub(super) edge: [&'a str; 2],
    pub(super) has_registry: bool,
    pub(super) has_image: bool,
    /// Whether people sign in at a provider of this run.
    pub(super) has_people: bool,
    pub(super) has_page: bool,
}

impl fmt::Display for Guide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addresses(f)?;
        self.token(f)?;
        if self.has_image {
            self.push(f)?;
        }
        if self.upstreams.is_some() {
            self.why(f)?;
        }
        self.az(f)?;
        self.last(f)
    }
}

impl Guide<'_> {
    /// The environment of a shell in which all clients trust the run's authority, the user's own
    /// `az` configuration is not changed, and the readme's commands work. The folder is absolute.
    pub(super) fn environment(&self, folder: &Path) -> String {
        let Self { password, secret, tenant, edge: [edge, edge_secret], .. } = self;
        let folder = folder.display();
        format!(
            "# For one shell, and as long as `cargo xtask run` runs.\n\
             export SSL_CERT_FILE='{folder}/ca.crt'       # podman, skopeo, docker\n\
             export CURL_CA_BUNDLE='{folder}/ca.crt'\n\
             export REQUESTS_CA_BUNDLE='{folder}/ca.crt'  # az\n\
             export AZURE_CONFIG_DIR='{folder}/azure' AZURE_CORE_COLLECT_TELEMETRY=0\n\
             export REGISTRY_AUTH_FILE='{folder}/auth.json'\n\
             export NO_PROXY=\"localhost${{NO_PROXY:+,$NO_PROXY}}\" no_proxy=\"localhost${{no_proxy:+,$no_proxy}}\"\n\
             PASSWORD='{password}' SECRET='{secret}' TENANT='{tenant}' EDGE='{edge}' EDGE_SECRET='{edge_secret}'\n"
        )
    }

    fn addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { password, secret, server, folder, .. } = self;
        match self.upstreams {
            Some(upstreams) => self.one_address(f, upstreams)?,
            None => self.two_addresses(f)?,
        }
        if self.has_page {
            writeln!(
                f,
                "playground     https://localhost:{server}/, in a browser that may go on past the warning"
            )?;
        }
        if self.has_people {
            writeln!(
                f,
                "people         `az login`: owner, who owns the registry, and puller; any password will do"
            )?;
        }
        writeln!(f, "token          MyToken, password {password}")?;
        writeln!(f, "administrator  administrator, secret {secret}")?;
        writeln!(
            f,
            "\nThe commands are for another terminal, in this folder. This text is kept in {}.",
            folder.join("guide.txt").display()
        )
    }

    fn one_address(&self, f: &mut fmt::Formatter<'_>, upstreams: [u16; 2]) -> fmt::Result {
        let Self { folder, server, .. } = self;
        let [token_server, registry] = upstreams;
        writeln!(f, "all of it      https://localhost:{server}, our gateway")?;
        writeln!(f, "behind it      http://127.0.0.1:{token_server}, the token server")?;
        if self.has_registry {
            let log = folder.join("registry.log");
            let log = log.display();
            return writeln!(
                f,
                "               http://127.0.0.1:{registry}, CNCF distribution without authentication; its log is {log}"
            );
        }
        writeln!(f, "               no registry: docker-registry is not installed")
    }

    fn two_addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, server, registry, .. } = self;
        writeln!(f, "token server   https://localhost:{server}")?;
        if self.has_registry {
            let log = folder.join("registry.log");
            let log = log.display();
            return writeln!(
                f,
                "registry       localhost:{registry}, CNCF distribution, which trusts it; its log is {log}"
            );
        }
        writeln!(f, "registry       none: docker-registry is not installed")
    }

    fn token(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, server, registry, password, .. } = self;
        writeln!(
            f,
            "
FIRST OF ALL, let that shell trust the throw-away authority {ca}, and nobody else:

  . {env}

ASK FOR A TOKEN, as a client does. Of push and delete it gets the first only, as its scope map says:

  curl -sw '\\n' -u 'MyToken:{password}' 'https://localhost:{server}/oauth2/token?service=localhost:{registry}&scope=repository:samples/hello-world:push,delete'",
            ca = folder.join("ca.crt").display(),
            env = folder.join("env").display(),
        )
    }

    fn push(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, registry, password, .. } = self;
        let image = folder.join("image");
        writeln!(
            f,
            "
LOG IN AND PUSH with skopeo. The first push works, the second is refused:

  skopeo login -u MyToken -p '{password}' localhost:{registry}
  skopeo copy oci:{image}:v1 docker://localhost:{registry}/samples/hello-world:v1
  skopeo copy oci:{image}:v1 docker://localhost:{registry}/samples/nginx:v1

THE SAME WITH PODMAN, and so with docker:

  podman login -u MyToken -p '{password}' localhost:{registry}
  podman load -i {image}.tar
  podman push localhost:{registry}/samples/hello-world:v1
  podman tag localhost:{registry}/samples/hello-world:v1 localhost:{registry}/samples/nginx:v1
  podman push localhost:{registry}/samples/nginx:v1",
            image = image.display(),
        )
    }

    /// The commands that explain a refusal.
    fn why(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, built, server, secret, .. } = self;
        let map = folder.join("map.json");
        writeln!(
            f,
            "
SEE WHY THE SECOND PUSH WAS REFUSED, and which command would change that:

  curl -su 'administrator:{secret}' -o {map} https://localhost:{server}/registries/registry/scopeMaps/MyScopeMap
  {program} explain --scope-map {map} --registry registry repository:samples/nginx:pull,push",
            map = map.display(),
            program = built.join("scopegate").display(),
        )
    }

    fn az(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, registry, secret, tenant, .. } = self;
        writeln!(
            f,
            "
MANAGE IT WITH AZ: make the server its cloud, and log in as the administrator. A current az will do; `pip install azure-cli` in another shell brings one:

  az cloud register -n Scopegate --endpoint-resource-manager https://localhost:{server}
  az cloud set -n Scopegate
  az config set core.instance_discovery=false
  az login --service-principal -u administrator -p '{secret}' --tenant {tenant}

MAKE A SCOPE MAP AND A TOKEN:

  az acr scope-map create -n Builders -r registry --repository team/app content/read content/write
  PASSWORD=$(az acr token create -n Builder -r registry --scope-map Builders --query 'credentials.passwords[0].value' -o tsv)"
        )?;
        if self.has_image {
            writeln!(
                f,
                "
PUSH WITH THE NEW TOKEN:

  podman login -u Builder -p \"$PASSWORD\" localhost:{registry}
  podman tag localhost:{registry}/samples/hello-world:v1 localhost:{registry}/team/app:v1
  podman push localhost:{registry}/team/app:v1

PUSH AS YOURSELF, without a password: az gets a token for whoever is logged in. With a docker daemon `az acr login -n registry` is enough:

  TOKEN=$(az acr login -n registry --expose-token --query accessToken -o tsv)
  podman login -u 00000000-0000-0000-0000-000000000000 -p \"$TOKEN\" localhost:{registry}
  podman push localhost:{registry}/samples/nginx:v1
  az acr repository list -n registry"
            )?;
            self.data_plane(f)?;
        }
        Ok(())
    }

    /// What the gateway answers, and no registry behind it.
    fn data_plane(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.upstreams.is_none() {
            return Ok(());
        }
        writeln!(
            f,
            "
WHAT IS THERE, AND A LOCK ON IT: the removal of a locked tag is refused.

  az acr repository show-tags -n registry --repository samples/hello-world --detail
  az acr repository update -n registry --image samples/hello-world:v1 --delete-enabled false --write-enabled false
  az acr repository untag -n registry --image samples/hello-world:v1
  az acr repository update -n registry --image samples/hello-world:v1 --delete-enabled true --write-enabled true
  az acr repository untag -n registry --image samples/hello-world:v1"
        )
    }

    fn last(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "
CHANGE THE RULES IN A FILE: edit examples/seed.yaml and apply it, while all of this runs:

  {program} apply --config {config} examples/seed.yaml

Each token request leaves a line here: who asked for what, what came of it, by which rule. Ctrl-c stops everything.",
            program = self.built.join("scopegate-server").display(),
            config = self.folder.join("scopegate.yaml").display(),
        )
    }
}
