//! The scope maps of a principal, read from files and compiled.
//!
//! Left out: which token has which maps. Here the command line says it.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scopegate_api::explanation::Explanation;
use scopegate_api::scope_map::ScopeMapDocument;
use scopegate_core::claims::Claims;
use scopegate_core::explain::NamedTable;
use scopegate_core::scope_map::MapName;
use scopegate_core::{ActionSet, Catalog, ResourceName, Scope, ScopeList, Settings, Table};

use crate::input::Input;
use crate::report::BadInput;

/// Whose rights are looked at.
#[derive(Debug, Args)]
pub(crate) struct PrincipalArgs {
    /// A scope map in JSON or YAML, `-` for standard input; what one of several grants is granted
    #[arg(long = "scope-map", value_name = "FILE", required = true)]
    scope_maps: Vec<Input>,
    /// Who may list repositories: with metadata/read on `*` (root), nobody, or with metadata/read anywhere (filtered)
    #[arg(long, value_name = "WHO", default_value = Catalog::Root.as_str())]
    #[arg(value_parser = named(Catalog::ALL.map(Catalog::as_str), Catalog::parse))]
    catalog: Catalog,
}

impl PrincipalArgs {
    /// Reads all the maps.
    pub(crate) fn read(&self) -> Result<Principal, BadInput> {
        Input::check_stdin(&self.scope_maps)?;
        let maps = self.scope_maps.iter().map(Map::read).collect::<Result<_, _>>()?;
        Ok(Principal { maps, settings: Settings { catalog: self.catalog } })
    }
}

/// The argument that is one of the names of a setting, which are the core's.
pub(crate) fn named<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    parse: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| parse(&name).ok_or("an unknown name"))
}

/// A scope map, read and compiled.
#[derive(Debug)]
pub(crate) struct Map {
    /// As it was read.
    pub(crate) document: ScopeMapDocument,
    /// As it is looked up.
    pub(crate) table: Table<Vec<u8>>,
}

impl Map {
    /// Reads a map from wherever it is.
    pub(crate) fn read(input: &Input) -> Result<Self, BadInput> {
        let text = input.read()?;
        let document = ScopeMapDocument::read(&text).map_err(BadInput::from);
        document.and_then(Self::compile).map_err(|problem| problem.at(input))
    }

    /// Compiles a map that was read.
    pub(crate) fn compile(document: ScopeMapDocument) -> Result<Self, BadInput> {
        let table = Table::compile([&document.scope_map])?;
        Ok(Self { document, table })
    }

    /// The table and what people call it.
    fn named(&self) -> NamedTable<'_, Vec<u8>> {
        let name = self.document.scope_map.name.as_ref().map_or("", MapName::as_str);
        NamedTable { name, table: &self.table }
    }
}

/// Whoever asks: some scope maps, of which each may only add to what the others grant.
#[derive(Debug)]
pub(crate) struct Principal {
    /// The maps, in the order in which they were named.
    pub(crate) maps: Vec<Map>,
    /// Who may list repositories.
    pub(crate) settings: Settings,
}

impl Principal {
    /// What a request gets.
    pub(crate) fn claims<'a>(&self, request: &ScopeList<'a>) -> Claims<'a> {
        scopegate_core::claims(self.tables(), request, &self.settings)
    }

    /// Why a request gets what it gets: an explanation for each scope, merged as they are decided. `registry` goes into the fixes.
    pub(crate) fn explain(
        &self,
        request: &ScopeList<'_>,
        registry: Option<&str>,
    ) -> Vec<Explanation> {
        let named: Vec<_> = self.maps.iter().map(Map::named).collect();
        let merged = request.scopes.iter().map(ToString::to_string);
        // A merged scope prints as the one scope that asks for the same, so it can always be read back.
        let explain = |text: String| {
            let explanation =
                scopegate_core::explain(&named, &Scope::parse(&text).ok()?, &self.settings);
            Some(Explanation::new(&explanation, registry))
        };
        merged.filter_map(explain).collect()
    }

    /// What may be done with a repository, asked for or not.
    pub(crate) fn granted_on(&self, repository: ResourceName<'_>) -> ActionSet {
        let granted = self.tables().map(|table| table.granted_on(repository));
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
