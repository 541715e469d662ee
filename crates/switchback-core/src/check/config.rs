//! `config`: what the program gets from its configuration is what it got, in every environment (PC-2, OM-3).

use std::path::PathBuf;

use serde_json::json;

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::configuration::{ConfigComparison, ConfigPlace, ConfigReading, LOADER, PLACEHOLDERS, reading};
use crate::plan::{Fields, Key, Shape, relative};

/// The kind `config`.
pub(super) static KIND: Kind = Kind {
    word: "config",
    doc: "the old and the new configuration give the program the same, key by key and type by type",
    keys: &[
        Key::required(
            "old",
            Shape::Text,
            "the old master, a folder of fragments, or a file of rules that lays them out",
        ),
        Key::required("new", Shape::Text, "the same of the new configuration, mostly its master"),
        Key::optional("old_environments", Shape::Text, "where the old overrides are, with `{name}`"),
        Key::optional("environments", Shape::Text, "where the new overrides are, with `{name}`"),
        Key::optional(
            "names",
            Shape::Texts,
            "the environments; the masters alone are compared when left out",
        ),
        Key::optional("except", Shape::Texts, "keys that may differ, with all below them"),
        LOADER,
        PLACEHOLDERS,
    ],
    read,
};

#[derive(Debug)]
struct ConfigCheck {
    old: PathBuf,
    new: PathBuf,
    old_environments: Option<String>,
    new_environments: Option<String>,
    names: Vec<String>,
    except: Vec<String>,
    reading: ConfigReading,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let path = |name: &str| {
        relative(&fields.filled_text(name)?, fields.offset_of(name), "the path", fields.findings())
    };
    Some(Box::new(ConfigCheck {
        old: path("old")?,
        new: path("new")?,
        old_environments: fields.filled_text("old_environments"),
        new_environments: fields.filled_text("environments"),
        names: fields.texts("names").unwrap_or_default(),
        except: fields.texts("except").unwrap_or_default(),
        reading: reading(fields),
    }))
}

impl Check for ConfigCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let trees = scene.trees.old_project().and_then(|old| Ok((old, scene.trees.new_project()?)));
        let (old, new) = match trees {
            Ok(trees) => trees,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let comparison = ConfigComparison {
            old: ConfigPlace {
                tree: old,
                path: self.old.clone(),
                environments: self.old_environments.clone(),
            },
            new: ConfigPlace {
                tree: new,
                path: self.new.clone(),
                environments: self.new_environments.clone(),
            },
            names: self.names.clone(),
            except: self.except.clone(),
            reading: self.reading.clone(),
        };
        match scene.configurer.compare_configs(&comparison) {
            Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
            Err(error) => Looked::failed(&error, json!({})),
        }
    }
}
