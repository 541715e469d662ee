//! What a definition needs where it goes: the imports of the names that it uses.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin::BUILTINS;
use super::{Definition, Site, Trouble};
use crate::index::{Index, ModuleName, Target, join};
use crate::moving::statement::written_base;
use crate::syntax::{Binding, Chain, Import, ImportedName, Span};

/// An import that the new module must have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// From where, dotted; nothing for `import …`.
    pub(super) base: Option<String>,
    /// Whether it was, or should be, written with dots.
    pub(super) is_relative: bool,
    /// What is imported.
    pub(super) name: String,
    /// Under which other name.
    pub(super) alias: Option<String>,
    /// Whether only type checkers see it.
    pub(super) is_typing: bool,
}

impl Need {
    /// The name that it binds.
    pub(super) fn bound(&self) -> &str {
        match (&self.alias, &self.base) {
            (Some(alias), _) => alias,
            (None, Some(_)) => &self.name,
            (None, None) => self.name.split('.').next().unwrap_or(&self.name),
        }
    }

    /// The statement, in the module `within`.
    pub(super) fn statement(&self, within: &ModuleName) -> String {
        let alias = self.alias.as_ref().map(|alias| format!(" as {alias}")).unwrap_or_default();
        match &self.base {
            Some(base) => {
                let base = written_base(Some(within), base, self.is_relative);
                format!("from {base} import {}{alias}", self.name)
            }
            None => format!("import {}{alias}", self.name),
        }
    }
}

/// What definitions of one module need that go to one other.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The imports.
    pub(super) imports: BTreeSet<Need>,
    /// Names that stay in the old module, each with a definition that uses it.
    pub(super) back: BTreeMap<String, String>,
}

/// Where every definition of the rules goes: old module and name, new module (by its old name).
pub(super) type Homes<'a> = BTreeMap<(&'a str, &'a str), &'a str>;

/// What the definition in `lines` of `site` needs in the module `home`.
pub(super) fn collect(
    index: &Index<'_>,
    site: &Site<'_>,
    one: &Definition,
    lines: Span,
    homes: &Homes<'_>,
    needs: &mut Needs,
) -> Result<(), Trouble> {
    let home = one.home.dotted.as_str();
    for chain in site.facts.chains.iter().filter(|chain| within(chain, lines)) {
        let Some(first) = chain.words.first() else { continue };
        let name = first.text.as_str();
        match site.facts.resolve(chain.scope, name) {
            None => from_stars(index, site, one, name, needs)?,
            Some((0, bindings)) => {
                if let Some(other) = homes.get(&(site.name.dotted.as_str(), name)) {
                    if *other != home {
                        needs.imports.insert(Need {
                            base: Some((*other).to_owned()),
                            is_relative: site.is_relative,
                            name: name.to_owned(),
                            alias: None,
                            is_typing: false,
                        });
                    }
                    continue;
                }
                of_binding(index, site, one, chain, bindings, needs)?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether an expression lies in these lines.
pub(super) fn within(chain: &Chain, lines: Span) -> bool {
    chain.words.first().is_some_and(|word| word.span.start >= lines.start && word.span.end <= lines.end)
}

fn of_binding(
    index: &Index<'_>,
    site: &Site<'_>,
    one: &Definition,
    chain: &Chain,
    bindings: &[Binding],
    needs: &mut Needs,
) -> Result<(), Trouble> {
    let Some(first) = chain.words.first() else { return Ok(()) };
    let imports: Option<Vec<(&Import, &ImportedName)>> = bindings
        .iter()
        .map(|binding| {
            let Binding::Import(import, name) = binding else { return None };
            let import = site.facts.imports.get(*import)?;
            (site.is_plain(import) || import.is_typing).then_some((import, import.names.get(*name)?))
        })
        .collect();
    let Some(imports) = imports.filter(|imports| !imports.is_empty()) else {
        // Bound by the module itself, or not by a plain import: the old module has it.
        needs.back.insert(first.text.clone(), one.name.clone());
        return Ok(());
    };
    let is_root = |(import, name): &(&Import, &ImportedName)| import.from.is_none() && name.alias.is_none();
    let whole = chain.dotted(chain.words.len());
    let reached: Vec<_> = imports
        .iter()
        .copied()
        .filter(|one| {
            let rest = whole.strip_prefix(one.1.name.text.as_str());
            !is_root(one) || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .collect();
    for (import, name) in if reached.is_empty() { imports } else { reached } {
        let need = copied(site, import, name);
        refuse_itself(index, site, one, import, name, &need)?;
        let own = need.base.as_deref() == Some(one.home.dotted.as_str());
        if !own {
            needs.imports.insert(need);
        }
    }
    Ok(())
}

fn copied(site: &Site<'_>, import: &Import, name: &ImportedName) -> Need {
    let base = import.from.as_ref().and_then(|from| Index::base(Some(site.name), from));
    Need {
        is_relative: import.from.as_ref().is_some_and(|from| from.level > 0),
        base,
        name: name.name.text.clone(),
        alias: name.alias.as_ref().map(|alias| alias.text.clone()),
        is_typing: import.is_typing,
    }
}

/// A definition that reaches the module that it goes to, other than by a name of it.
fn refuse_itself(
    index: &Index<'_>,
    site: &Site<'_>,
    one: &Definition,
    import: &Import,
    name: &ImportedName,
    need: &Need,
) -> Result<(), Trouble> {
    let home = one.home.dotted.as_str();
    let is_module =
        matches!(index.target(Some(site.name), import, name), Target::Module(module) if module == home);
    let is_alias = need.base.as_deref() == Some(home) && need.alias.is_some();
    if is_module || is_alias {
        let why = format!("it reaches `{home}`, where it goes, as `{}`", need.bound());
        return Err(Trouble { offset: import.span.start, why });
    }
    Ok(())
}

/// A name that nothing in the file binds: a builtin, or one that a star import brings.
fn from_stars(
    index: &Index<'_>,
    site: &Site<'_>,
    one: &Definition,
    name: &str,
    needs: &mut Needs,
) -> Result<(), Trouble> {
    for star in site.facts.stars() {
        let Some(base) = Index::base(Some(site.name), star) else { continue };
        if !index.has(&base) {
            if BUILTINS.contains(&name) || name.starts_with("__") {
                continue;
            }
            let why = format!("`{name}` may come from `from {base} import *`, which cannot be looked into");
            return Err(Trouble { offset: star.span.start, why });
        }
        let is_offered = !name.starts_with('_')
            && matches!(index.member(None, &base, name, 0), Target::Symbol { .. } | Target::Module(_));
        if is_offered && base != one.home.dotted && (!BUILTINS.contains(&name) || binds(index, &base, name)) {
            needs.imports.insert(Need {
                base: Some(base),
                is_relative: star.level > 0,
                name: name.to_owned(),
                alias: None,
                is_typing: false,
            });
            return Ok(());
        }
    }
    Ok(())
}

fn binds(index: &Index<'_>, module: &str, name: &str) -> bool {
    index.facts_of(module).is_some_and(|facts| facts.binds(name)) || index.has(&join(module, name))
}
