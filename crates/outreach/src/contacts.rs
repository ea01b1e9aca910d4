//! Who a customer's contact is, and who of the platform owns it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::CustomerId;
use serde::Deserialize;

use crate::Address;

/// A customer's addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The customer's own.
    pub contact: Option<Address>,
    /// Its owner's, at the platform.
    pub owner: Option<Address>,
}

/// What is wrong with a contacts file; it shows no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}{what}", place = line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct ContactsFault {
    /// Which file.
    pub file: String,
    /// In which line, from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong there.
    pub what: String,
}

/// All contacts, and the file that they came from.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    file: Option<PathBuf>,
    read: Option<(SystemTime, u64)>,
    known: BTreeMap<String, Contact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(default)]
    customer: Vec<toml::Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(alias = "name")]
    customer: String,
    #[serde(default)]
    contact: Option<String>,
    #[serde(default)]
    owner: Option<String>,
}

impl Contacts {
    /// Reads a file: TOML with `[[customer]]`, or, where its name ends in `.csv`, CSV with the columns `customer`, `contact` and
    /// `owner`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn read(file: &Path) -> Result<Self, ContactsFault> {
        let fault = |line, what: String| ContactsFault { file: file.display().to_string(), line, what };
        let unreadable = |error: std::io::Error| fault(None, format!("it can't be read: {error}"));
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let rows = if is_csv { from_csv(&text) } else { from_toml(&text) };
        let mut known = BTreeMap::new();
        for (line, row) in rows.map_err(|(line, what)| fault(line, what))? {
            let address = |text: Option<&str>| match text.map(str::trim).filter(|text| !text.is_empty()) {
                Some(text) => {
                    text.parse().map(Some).map_err(|error: crate::NoAddress| fault(Some(line), error.to_string()))
                }
                None => Ok(None),
            };
            CustomerId::new(&row.customer).map_err(|error| fault(Some(line), error.to_string()))?;
            let contact = Contact { contact: address(row.contact.as_deref())?, owner: address(row.owner.as_deref())? };
            if known.insert(row.customer, contact).is_some() {
                return Err(fault(Some(line), "this customer stands there twice".to_owned()));
            }
        }
        Ok(Self { file: Some(file.to_owned()), read: stamp(file), known })
    }

    /// The customer's addresses.
    pub fn of(&self, customer: &CustomerId) -> Contact {
        self.known.get(customer.as_str()).cloned().unwrap_or_default()
    }

    /// Reads the file again where it has changed; what is wrong with it leaves the former contacts in place.
    pub(crate) fn refresh(&mut self) {
        let Some(file) = self.file.clone() else { return };
        let now = stamp(&file);
        if now == self.read {
            return;
        }
        match Self::read(&file) {
            Ok(fresh) => *self = fresh,
            Err(fault) => {
                tracing::warn!(%fault, "the contacts are left as they were");
                self.read = now;
            }
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

type Rows = Result<Vec<(u64, Row)>, (Option<u64>, String)>;

fn from_toml(text: &str) -> Rows {
    let line_of = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() as u64 + 1);
    let file: TomlFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(span.start));
        (line, model::without_addresses(error.message()))
    })?;
    Ok(file.customer.into_iter().map(|row| (line_of(row.span().start), row.into_inner())).collect())
}

fn from_csv(text: &str) -> Rows {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let headers = reader.headers().map_err(|error| (Some(1), model::without_addresses(&error.to_string())))?.clone();
    for record in reader.records() {
        let record = record.map_err(|error| {
            (error.position().map(csv::Position::line), "it does not have as many columns as the first line".to_owned())
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let row = record
            .deserialize(Some(&headers))
            .map_err(|_| (Some(1), "the first line must name the columns: customer, contact and owner".to_owned()))?;
        rows.push((line, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Contacts, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        Contacts::read(&file).map_err(|fault| fault.to_string().replace(&folder.path().display().to_string(), ""))
    }

    #[test]
    fn both_forms_say_the_same() {
        let toml =
            "[[customer]]\nname = \"acme\"\ncontact = \"ops@acme.example\"\nowner = \"Ann <ann@platform.example>\"\n";
        let csv = "customer,contact,owner\nacme,ops@acme.example,Ann <ann@platform.example>\nbolt,,\n";
        let acme = CustomerId::new("acme").unwrap();
        let (toml, csv) = (read("c.toml", toml).unwrap(), read("c.csv", csv).unwrap());
        assert_eq!(toml.of(&acme), csv.of(&acme));
        assert!(toml.of(&acme).contact.is_some() && csv.of(&CustomerId::new("bolt").unwrap()) == Contact::default());
        assert!(!format!("{toml:?}").contains("acme.example"));
    }

    #[test]
    fn a_faulty_file_leaves_the_former_contacts_until_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.csv");
        let write =
            |contact: &str| std::fs::write(&file, format!("customer,contact,owner\nacme,{contact},\n")).unwrap();
        let acme = CustomerId::new("acme").unwrap();
        write("former@acme.example");
        let mut contacts = Contacts::read(&file).unwrap();
        let former = contacts.of(&acme);
        write("no address at all");
        contacts.refresh();
        assert_eq!(contacts.of(&acme), former);
        std::fs::remove_file(&file).unwrap();
        contacts.refresh();
        assert_eq!(contacts.of(&acme), former);
        write("latter-one@acme.example");
        contacts.refresh();
        assert_eq!(contacts.of(&acme).contact, Some("latter-one@acme.example".parse().unwrap()));
    }

    #[test]
    fn a_fault_is_told_with_its_line_and_without_addresses() {
        let told = read("c.csv", "customer,contact,owner\nacme,ops@acme@example,\n").unwrap_err();
        assert!(told.starts_with("/c.csv: line 2: it is no mail address") && !told.contains("ops@"), "{told}");
        let told = read("c.toml", "[[customer]]\nname = \"a\"\n\n[[customer]]\nname = \"a\"\n").unwrap_err();
        assert!(told.contains("line 4: this customer stands there twice"), "{told}");
        let told = read("c.toml", "[[customer]]\nname = \"a\"\nmail = \"a@b.example\"\n").unwrap_err();
        assert!(told.contains("line 3") && !told.contains("a@b.example"), "{told}");
    }
}
