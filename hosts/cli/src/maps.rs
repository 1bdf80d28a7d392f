//! The scope maps of a principal, read from files and compiled.
//!
//! Left out: which token has which maps. The command line names the maps.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scopegate_api::explanation::FullExplanation;
use scopegate_api::scope_map::{ScopeMapDocument, WrittenScopeMap};
use scopegate_core::claims::Claims;
use scopegate_core::explain::NamedTable;
use scopegate_core::scope_map::MapName;
use scopegate_core::{ActionSet, Catalog, ResourceName, Scope, ScopeList, Settings, Table};

use crate::input::Input;
use crate::report::BadInput;

/// The principal whose rights are checked.
#[derive(Debug, Args)]
pub(crate) struct PrincipalArgs {
    /// Scope maps in JSON or YAML, `-` for standard input; what one of several grants is granted
    #[arg(long = "scope-map", value_name = "FILE", required = true)]
    scope_maps: Vec<Input>,
    #[command(flatten)]
    names: NameArgs,
    /// Who may list repositories: with metadata/read on `*` (root), no client, or with
    /// metadata/read anywhere (filtered)
    #[arg(long, value_name = "WHO", default_value = Catalog::Root.as_str())]
    #[arg(value_parser = named(Catalog::ALL.map(Catalog::as_str), Catalog::parse))]
    catalog: Catalog,
}

impl PrincipalArgs {
    /// Reads all the maps.
    pub(crate) fn read(&self) -> Result<Principal, BadInput> {
        Input::check_stdin(&self.scope_maps)?;
        let maps = self.names.read(&self.scope_maps)?;
        Ok(Principal { maps, settings: Settings { catalog: self.catalog } })
    }
}

/// The selection of scope maps, where a file has several.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The name of the scope map to use, where a file has several
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
}

impl NameArgs {
    /// Reads the selected maps, file by file.
    pub(crate) fn read(&self, inputs: &[Input]) -> Result<Vec<Map>, BadInput> {
        let mut maps = Vec::new();
        for input in inputs {
            maps.extend(self.read_file(input)?);
        }
        let is_read = |name: &&String| maps.iter().any(|map| map.is_called(name));
        match self.names.iter().find(|name| !is_read(name)) {
            None => Ok(maps),
            Some(name) => Err(BadInput::new(format!("no scope map is called `{name}`"))
                .hint(format!("there is {}", list(&maps)))),
        }
    }

    /// Reads the one selected map.
    pub(crate) fn read_one(&self, input: &Input) -> Result<Map, BadInput> {
        let mut maps = self.read(std::slice::from_ref(input))?;
        match maps.pop() {
            Some(map) if maps.is_empty() => Ok(map),
            _ => Err(BadInput::new("two names, and one scope map is compared").at(input)),
        }
    }

    /// Reads the selected maps of a file; without names, all of them.
    pub(crate) fn read_each(&self, input: &Input) -> Result<Vec<Map>, BadInput> {
        if self.names.is_empty() {
            Map::read_all(input)
        } else {
            self.read(std::slice::from_ref(input))
        }
    }

    /// A file with one map needs no name. Of several maps, each named one is selected once.
    fn read_file(&self, input: &Input) -> Result<Vec<Map>, BadInput> {
        let mut maps = Map::read_all(input)?;
        if maps.len() == 1 {
            return Ok(maps);
        }
        let all = list(&maps);
        maps.retain(|map| self.names.iter().any(|name| map.is_called(name)));
        let twice = self
            .names
            .iter()
            .find(|name| maps.iter().filter(|map| map.is_called(name)).count() > 1);
        if let Some(name) = twice {
            return Err(BadInput::new(format!("two scope maps are called `{name}`")).at(input));
        }
        if maps.is_empty() {
            return Err(BadInput::new(format!("several scope maps: {all}"))
                .hint("choose one with `--name`")
                .at(input));
        }
        Ok(maps)
    }
}

/// The names of some maps, as many as fit a line.
fn list(maps: &[Map]) -> String {
    const MOST: usize = 8;
    let names = maps.iter().take(MOST).map(|map| match map.name() {
        "" => "one without a name".to_owned(),
        name => format!("`{name}`"),
    });
    let mut list = names.collect::<Vec<_>>().join(", ");
    if let Some(more) = maps.len().checked_sub(MOST).filter(|more| *more > 0) {
        list.push_str(&format!(" and {more} more"));
    }
    list
}

/// An argument whose values are the names of a setting, which the core defines.
pub(crate) fn named<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    parse: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| parse(&name).ok_or("an unknown name"))
}

/// A scope map, read and compiled.
#[derive(Debug)]
pub(crate) struct Map {
    /// The parsed document.
    pub(crate) document: ScopeMapDocument,
    /// The compiled table.
    pub(crate) table: Table<Vec<u8>>,
}

impl Map {
    /// Reads the only map of a file.
    pub(crate) fn read(input: &Input) -> Result<Self, BadInput> {
        let mut maps = Self::read_all(input)?;
        match maps.pop() {
            Some(map) if maps.is_empty() => Ok(map),
            _ => Err(BadInput::new("several scope maps")
                .hint("keep the one that is meant in a file of its own")
                .at(input)),
        }
    }

    /// Reads every map of a file, of which there is at least one.
    pub(crate) fn read_all(input: &Input) -> Result<Vec<Self>, BadInput> {
        let text = input.read()?;
        let read = || -> Result<Vec<Self>, BadInput> {
            let written = WrittenScopeMap::read_all(&text)?;
            written.into_iter().map(|map| Self::compile(map.check()?)).collect()
        };
        read().map_err(|problem| problem.at(input))
    }

    /// Compiles a map that was read.
    pub(crate) fn compile(document: ScopeMapDocument) -> Result<Self, BadInput> {
        let table = Table::compile([&document.scope_map])?;
        Ok(Self { document, table })
    }

    /// The name, empty when the map has none.
    pub(crate) fn name(&self) -> &str {
        self.document.scope_map.name.as_ref().map_or("", MapName::as_str)
    }

    /// Whether the map has this name, whatever its case, as Azure compares them.
    fn is_called(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The table with its name.
    fn named(&self) -> NamedTable<'_, Vec<u8>> {
        NamedTable { name: self.name(), table: &self.table }
    }
}

/// The principal: scope maps, each of which can only add access.
#[derive(Debug)]
pub(crate) struct Principal {
    /// The maps, in the order in which they were named.
    pub(crate) maps: Vec<Map>,
    /// Who may list repositories.
    pub(crate) settings: Settings,
}

impl Principal {
    /// The access that a request gets.
    pub(crate) fn claims<'a>(&self, request: &ScopeList<'a>) -> Claims<'a> {
        scopegate_core::claims(self.tables(), request, &self.settings)
    }

    /// The explanation of a decision: one for each scope, merged as in the decision. `registry`
    /// goes into the fixes.
    pub(crate) fn explain(
        &self,
        request: &ScopeList<'_>,
        registry: Option<&str>,
    ) -> Vec<FullExplanation> {
        let named: Vec<_> = self.maps.iter().map(Map::named).collect();
        let merged = request.scopes.iter().map(ToString::to_string);
        // A merged scope prints as the one scope that asks for the same, so it can always be read
        // back.
        let explain = |text: String| {
            let scope = Scope::parse(&text).ok()?;
            Some(FullExplanation::new(&named, &scope, &self.settings, registry))
        };
        merged.filter_map(explain).collect()
    }

    /// All actions that are granted on a repository, requested or not.
    pub(crate) fn granted_on(&self, repository: ResourceName<'_>) -> ActionSet {
        let granted = self.tables().map(|table| table.granted(repository));
        granted.fold(ActionSet::NONE, ActionSet::union)
    }

    /// The registry that the maps came from, when they name exactly one.
    pub(crate) fn registry(&self) -> Option<&str> {
        let mut registries = self.maps.iter().filter_map(|map| map.document.registry.as_deref());
        let registry = registries.next()?;
        registries.all(|other| other.eq_ignore_ascii_case(registry)).then_some(registry)
    }

    fn tables(&self) -> impl Iterator<Item = &Table<Vec<u8>>> + Clone {
        self.maps.iter().map(|map| &map.table)
    }
}
