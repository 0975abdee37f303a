//! A candidate: the files of a folder become resources, all of them or none.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use weir_policy::document::{Document, Documents, MeshConfig};

use crate::adapter::Adapter;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::envelope::{Envelope, Metadata};
use crate::kind::Kind;
use crate::limits::{MAX_DIAGNOSTICS, MAX_DOCUMENTS};
use crate::loaded::{Loaded, Origin};
use crate::source::Sources;
use crate::suggestion;
use crate::yaml::{self, Fields, Part};

/// What a candidate may do, and what it is compared with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Accept a folder without resources, and one that has lost all its policies.
    pub allow_empty: bool,
    /// How many policies the configuration has that the candidate would replace; 0 when there is none.
    pub previous_policies: usize,
    /// Where plugins are that are not beside their YAML file.
    pub plugin_dir: Option<PathBuf>,
}

/// Reads and validates the folder `dir`: everything but the policies' own meaning, which [`Loaded::compile`] adds. Blocks on
/// the disk.
///
/// # Errors
/// Everything that is wrong with the files, if anything is: then nothing of them may be used.
pub fn load(dir: &Path, options: &Options) -> Result<Loaded, Diagnostics> {
    load_sources(Sources::read_steady(dir), options)
}

/// As [`load`], of files already read: those that a [`crate::Watch`] reported, or the last good ones.
///
/// # Errors
/// As [`load`].
pub fn load_sources(sources: Sources, options: &Options) -> Result<Loaded, Diagnostics> {
    let mut reader = Reader {
        sources: &sources,
        options,
        documents: Documents::default(),
        adapters: Vec::new(),
        origins: Vec::new(),
        names: HashMap::new(),
        found: sources.problems().iter().cloned().collect(),
    };
    for file in 0..sources.files().len() {
        reader.file(file);
    }
    // Only a candidate that is right in itself can be too little.
    if reader.found.is_empty() && !options.allow_empty {
        reader.refuse_empty();
    }
    let Reader { documents, adapters, origins, found, .. } = reader;
    let found = Diagnostics::from_iter(found);
    if found.has_errors() {
        return Err(found);
    }
    Ok(Loaded { version: sources.version().clone(), documents, adapters, warnings: found, sources, origins })
}

struct Reader<'s> {
    sources: &'s Sources,
    options: &'s Options,
    documents: Documents,
    adapters: Vec<Document<Adapter>>,
    origins: Vec<Origin>,
    names: HashMap<(Kind, String, String), Origin>,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn file(&mut self, file: usize) {
        let text = self.sources.text(file);
        let (parts, complaint) = yaml::split(text);
        for part in parts {
            if self.is_full() {
                return;
            }
            if self.origins.len() >= MAX_DOCUMENTS {
                let message = format!("too many resources: at most {MAX_DOCUMENTS} in all files together");
                return self.push(Diagnostic::at(
                    &self.sources.display_path(file),
                    text,
                    part.start..part.start,
                    message,
                ));
            }
            self.part(file, &part);
        }
        if let Some(complaint) = complaint {
            let path = self.sources.display_path(file);
            self.push(Diagnostic::at(&path, text, complaint.range, complaint.message).help(complaint.help));
        }
    }

    fn part(&mut self, file: usize, part: &Part) {
        let kind = match self.kind(file, part) {
            Ok(kind) => kind,
            Err(diagnostic) => return self.push(*diagnostic),
        };
        match kind {
            Kind::AuthorizationPolicy => {
                let document = self.document(file, part, kind);
                self.documents.authorization.extend(document);
            }
            Kind::RequestAuthentication => {
                let document = self.document(file, part, kind);
                self.documents.authentication.extend(document);
            }
            Kind::PeerAuthentication => {
                let document = self.document(file, part, kind);
                self.documents.peer.extend(document);
            }
            Kind::CelPolicy => {
                let document = self.document(file, part, kind);
                self.documents.cel.extend(document);
            }
            Kind::Workload => {
                let document = self.document(file, part, kind);
                self.documents.workloads.extend(document);
            }
            Kind::MeshConfig => self.mesh(file, part),
            Kind::Adapter => self.adapter(file, part),
        }
    }

    /// The kind of `part`, which must be known in its API version.
    fn kind(&self, file: usize, part: &Part) -> Result<Kind, Box<Diagnostic>> {
        let at = |range: Range<usize>, message: String| {
            Diagnostic::at(&self.sources.display_path(file), self.sources.text(file), range, message)
        };
        let missing = |field: &str, help: &str| {
            Box::new(at(part.start..part.start, format!("the resource has no `{field}`")).help(Some(help.to_owned())))
        };
        if !part.is_mapping {
            let help = "write `apiVersion`, `kind`, `metadata` and `spec`".to_owned();
            return Err(Box::new(
                at(part.start..part.start, "a resource must be a mapping".to_owned()).help(Some(help)),
            ));
        }
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        let kind = part.kind.as_ref().ok_or_else(|| missing("kind", &format!("add `kind: ...`, one of {kinds}")))?;
        let found = Kind::find(&kind.text).map_err(|help| {
            Box::new(at(kind.range.clone(), format!("unknown kind `{}`", kind.text)).help(Some(help)))
        })?;
        let known = found.api_versions();
        let newest = known.first().copied().unwrap_or_default();
        match &part.api_version {
            None => Err(missing("apiVersion", &format!("add `apiVersion: {newest}`"))),
            Some(version) if !known.contains(&version.text.as_str()) => Err(Box::new(
                at(version.range.clone(), format!("unknown apiVersion `{}` of {found}", version.text))
                    .help(suggestion::help(&version.text, known)),
            )),
            Some(_) => Ok(found),
        }
    }

    /// Reads one resource. None when something is wrong with it, which has then been said.
    fn document<T: serde::de::DeserializeOwned>(
        &mut self,
        file: usize,
        part: &Part,
        kind: Kind,
    ) -> Option<Document<T>> {
        let text = self.sources.text(file);
        let envelope = match yaml::read::<Envelope<T>>(text, part.range.clone()) {
            Ok(envelope) => envelope,
            Err(complaint) => {
                let name =
                    Fields::read(text, part.range.clone()).scalar("metadata.name").map(|name| format!("{kind} {name}"));
                let path = self.sources.display_path(file);
                let diagnostic = Diagnostic::at(&path, text, complaint.range, complaint.message).help(complaint.help);
                self.push(diagnostic.about(Some(name.unwrap_or_else(|| kind.to_string()))));
                return None;
            }
        };
        let Envelope { metadata, spec, .. } = envelope;
        let origin = self.identify(file, part, kind, &metadata)?;
        let Some(spec) = spec else {
            self.complain(
                &origin,
                "spec",
                format!("the {kind} has no `spec`"),
                "add `spec: ...`; an empty one is `spec: {}`".to_owned(),
            );
            return None;
        };
        let id = self.origins.len();
        let document = Document {
            id,
            name: origin.name.clone(),
            namespace: origin.namespace.clone(),
            labels: metadata.labels,
            annotations: metadata.annotations,
            digest: text.get(part.range.clone()).map(|text| Sha256::digest(text).into()),
            created: metadata.creation_timestamp.unwrap_or_default(),
            spec,
        };
        self.origins.push(origin);
        Some(document)
    }

    /// The resource's name, which must be right and new.
    fn identify(&mut self, file: usize, part: &Part, kind: Kind, metadata: &Metadata) -> Option<Origin> {
        let mut origin =
            Origin { file, range: part.range.clone(), kind, namespace: String::new(), name: String::new() };
        match metadata.identity() {
            Ok((namespace, name)) => (origin.namespace, origin.name) = (namespace, name),
            Err(faults) => {
                for (path, message, help) in faults {
                    self.complain(&origin, path, message, help);
                }
                return None;
            }
        }
        let key = (kind, origin.namespace.clone(), origin.name.clone());
        if let Some(first) = self.names.get(&key) {
            let diagnostic = self
                .at_field(&origin, "metadata.name", format!("there are two resources {}", origin.label()))
                .related("the other one", self.place(first, "metadata.name"))
                .help(Some("remove one of them, or give it another name".to_owned()));
            self.push(diagnostic);
            return None;
        }
        self.names.insert(key, origin.clone());
        Some(origin)
    }

    fn mesh(&mut self, file: usize, part: &Part) {
        let Some(document) = self.document::<MeshConfig>(file, part, Kind::MeshConfig) else {
            return;
        };
        let first = self.documents.mesh.as_ref().and_then(|first| self.origins.get(first.id));
        let (Some(first), Some(second)) = (first, self.origins.get(document.id)) else {
            self.documents.mesh = Some(document);
            return;
        };
        let diagnostic = self
            .at_field(second, "kind", "there are two MeshConfigs".to_owned())
            .related("the other one", self.place(first, "kind"))
            .help(Some("a mesh has one: merge them".to_owned()));
        self.push(diagnostic);
    }

    fn adapter(&mut self, file: usize, part: &Part) {
        let Some(mut document) = self.document::<Adapter>(file, part, Kind::Adapter) else {
            return;
        };
        let path = PathBuf::from(self.sources.display_path(file));
        let folder = path.parent().unwrap_or_else(|| self.sources.root());
        let faults = document.spec.resolve(folder, self.options.plugin_dir.as_deref());
        if let Some(origin) = self.origins.get(document.id).cloned() {
            for (field, message, help) in faults {
                self.complain(&origin, field, message, help);
            }
        }
        self.adapters.push(document);
    }

    fn refuse_empty(&mut self) {
        let policies = self.documents.authorization.len() + self.documents.cel.len();
        let message = if self.origins.is_empty() {
            "the folder holds no resources".to_owned()
        } else if policies == 0 && self.options.previous_policies > 0 {
            format!("the candidate loses all {} policies at once", self.options.previous_policies)
        } else {
            return;
        };
        let folder = self.sources.root().display().to_string();
        self.push(
            Diagnostic::whole(folder, message)
                .help(Some("if that is meant, start Weir with `--allow-empty`".to_owned())),
        );
    }

    fn complain(&mut self, origin: &Origin, field: &str, message: String, help: String) {
        let about = if origin.name.is_empty() { origin.kind.to_string() } else { origin.label() };
        let diagnostic = self.at_field(origin, field, message).help(Some(help)).about(Some(about));
        self.push(diagnostic);
    }

    /// An error at a field of the resource that comes from `origin`.
    fn at_field(&self, origin: &Origin, field: &str, message: String) -> Diagnostic {
        let text = self.sources.text(origin.file);
        let range = Fields::read(text, origin.range.clone()).find(field, None);
        Diagnostic::at(&self.sources.display_path(origin.file), text, range, message)
    }

    fn place(&self, origin: &Origin, field: &str) -> Place {
        self.at_field(origin, field, String::new()).place
    }

    /// Whether enough is wrong: nobody reads more, and each costs a look at the file.
    fn is_full(&self) -> bool {
        self.found.len() >= MAX_DIAGNOSTICS
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }
}
