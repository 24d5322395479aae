//! A model in the forms of others: arrays, tables, word vectors, the projector, and vectors for an index.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::model_file::ModelFile;
use super::word_vectors::VectorKind;
use crate::config::choice;
use crate::data::{Entity, Frame, ITEM, USER};
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::files;
use crate::model::{HostTensor, Table, TableKind, parameters};
use crate::report::projector;

choice! {
    /// A form to write a model in.
    pub enum ExportForm {
        /// Every parameter as an array of numpy, `<parameter>.npy`, and `<entity>.csv` with the id and title of each row.
        Npy = "npy",
        /// Every table of factors as `<parameter>.csv`: id, title, bias if there is one, and the factors.
        Csv = "csv",
        /// Every table of factors as `<parameter>.txt` in the text form of word2vec, which gensim reads. Blanks in ids
        /// become `_`. Of a model of words, `words.txt` has the sum of both vectors of each word.
        Word2vec = "word2vec",
        /// Every table of factors for TensorBoard's projector: tensors and labels as tab-separated text.
        Projector = "projector",
        /// Vectors whose inner products order the items of a user as the model does, for an index of maximum inner products:
        /// `items.npy` with rows [q, b], `users.npy` with rows [p, 1], and `users_offset.npy`, which makes scores of the products.
        Index = "index",
    }
}

/// A table of factors with the rows that it is about.
struct Factors<'a> {
    name: String,
    entity: &'a Entity,
    width: usize,
    values: Vec<f32>,
    biases: Option<Vec<f32>>,
}

/// Writes a model into a folder. Returns the names of the files.
///
/// # Errors
/// [`Error::Io`]; [`Error::Usage`] for a form that needs another model.
pub fn export(file: &ModelFile, form: ExportForm, folder: &Path) -> Result<Vec<String>> {
    files::create_folder(folder)?;
    match form {
        ExportForm::Npy => npy(file, folder),
        ExportForm::Csv => each(file, "csv", folder, csv),
        ExportForm::Word2vec => each(file, "txt", folder, word2vec),
        ExportForm::Projector => {
            let mut names = Vec::new();
            for Factors { name, entity, width, values, .. } in factors(file)? {
                let labels: Vec<(&str, &str)> =
                    entity.ids.ids().enumerate().map(|(row, id)| (id, entity.title(row).unwrap_or_default())).collect();
                if projector::write(folder, &name, &labels, width, &values)? > 0 {
                    names.push(format!("{name}.tensor.tsv"));
                }
            }
            Ok(names)
        }
        ExportForm::Index => index(file, folder),
    }
}

/// The tables of factors of a model.
fn factors(file: &ModelFile) -> Result<Vec<Factors<'_>>> {
    let tables = file.model.tables();
    let names: Vec<(burn::module::ParamId, String)> = {
        let mut names = Vec::new();
        file.model.visit(None, &mut |visited| names.push((visited.id, visited.name)));
        names
    };
    let of = |table: &&&Table| table.group().kind == TableKind::Factors;
    let bags = file.bags.iter().map(|bag| bag.frame.clone()).collect();
    let frame = Frame { bags, ..Frame::of(&file.entities, &file.fields) };
    let mut found: Vec<Factors> = tables
        .iter()
        .filter(of)
        .filter_map(|table| {
            let entity = &file.entities[table.entity(&frame)];
            let is_bias = |other: &&&Table| {
                other.group().kind == TableKind::Biases && other.group().entity == table.group().entity
            };
            let biases = tables.iter().find(is_bias).map(|biases| to_vec(biases.rows.val()));
            let (_, name) = names.iter().find(|(id, _)| *id == table.rows.id)?;
            let [_, width] = table.rows.dims();
            Some(Factors { name: name.clone(), entity, width, values: to_vec(table.rows.val()), biases })
        })
        .collect();
    if file.has_word_vectors() {
        let (width, values) = file.word_vectors(VectorKind::default())?;
        found.push(Factors { name: "words".into(), entity: file.entity(USER), width, values, biases: None });
    }
    if found.is_empty() {
        return Err(Error::Usage(format!(
            "model.kind = {:?} has no factors of users or items; its parameters can be exported as npy",
            file.kind.name
        )));
    }
    Ok(found)
}

/// Writes a file for each table of factors.
fn each(
    file: &ModelFile,
    extension: &str,
    folder: &Path,
    write: fn(&Factors, &mut dyn Write) -> std::io::Result<()>,
) -> Result<Vec<String>> {
    let write_one = |factors: &Factors| {
        let name = format!("{}.{extension}", factors.name);
        let path = folder.join(&name);
        files::write_atomic(&path, |out| write(factors, out).map_err(|e| Error::io("write", &path, e)))?;
        Ok(name)
    };
    factors(file)?.iter().map(write_one).collect()
}

fn csv(factors: &Factors, out: &mut dyn Write) -> std::io::Result<()> {
    let Factors { entity, width, values, biases, .. } = factors;
    let mut csv = csv::Writer::from_writer(out);
    let mut header = vec!["id".to_string(), "title".to_string()];
    header.extend(biases.iter().map(|_| "bias".to_string()));
    header.extend((1..=*width).map(|factor| format!("factor_{factor}")));
    csv.write_record(&header)?;
    for (row, (id, values)) in entity.ids.ids().zip(values.chunks_exact(*width)).enumerate() {
        let mut record = vec![id.to_string(), entity.title(row).unwrap_or_default().to_string()];
        record.extend(biases.iter().map(|biases| biases[row].to_string()));
        record.extend(values.iter().map(f32::to_string));
        csv.write_record(&record)?;
    }
    csv.flush()
}

fn word2vec(factors: &Factors, out: &mut dyn Write) -> std::io::Result<()> {
    let Factors { entity, width, values, .. } = factors;
    writeln!(out, "{} {width}", entity.ids.len())?;
    for (id, values) in entity.ids.ids().zip(values.chunks_exact(*width)) {
        let mut line = id.replace(|c: char| c.is_whitespace() || c.is_control(), "_");
        values.iter().for_each(|value| write!(line, " {value}").expect("text grows"));
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn npy(file: &ModelFile, folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, HostTensor { shape, data }) in parameters::collect(&file.model) {
        let name = format!("{name}.npy");
        write_npy(&folder.join(&name), &shape, &data)?;
        names.push(name);
    }
    for entity in &file.entities {
        names.push(write_ids(folder, entity)?);
    }
    Ok(names)
}

/// Writes ids and titles, a row each, as `<entity>.csv`.
fn write_ids(folder: &Path, entity: &Entity) -> Result<String> {
    let name = format!("{}.csv", entity.name);
    let path = folder.join(&name);
    files::write_atomic(&path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        let mut write = || -> std::io::Result<()> {
            csv.write_record(["id", "title"])?;
            for (row, id) in entity.ids.ids().enumerate() {
                csv.write_record([id, entity.title(row).unwrap_or_default()])?;
            }
            csv.flush()
        };
        write().map_err(|e| Error::io("write", &path, e))
    })?;
    Ok(name)
}

fn index(file: &ModelFile, folder: &Path) -> Result<Vec<String>> {
    let factored = file.model.factored().filter(|factored| factored.terms.len() == 2);
    let Some(factored) = factored else {
        return Err(Error::Usage(format!(
            "model.kind = {:?}: its scores are no inner products, which an index could look for",
            file.kind.name
        )));
    };
    let [user, item] = [0, 1].map(|at| &factored.terms[at]);
    let width = item.factors.rows.dims()[1];
    let values = |table: &Table| to_vec(table.rows.val());
    let with = |rows: Vec<f32>, last: &dyn Fn(usize) -> f32| -> Vec<f32> {
        let row = |(at, row): (usize, &[f32])| row.iter().copied().chain([last(at)]).collect::<Vec<_>>();
        rows.chunks_exact(width).enumerate().flat_map(row).collect()
    };
    let item_biases = item.biases.map(values);
    let users = with(values(user.factors), &|_| 1.0);
    let items = with(values(item.factors), &|at| item_biases.as_ref().map_or(0.0, |biases| biases[at]));
    let counts = [file.users().len(), file.items().len()];
    let offsets: Vec<f32> = match user.biases.map(values) {
        Some(biases) => biases.iter().map(|bias| factored.offset + bias).collect(),
        None => vec![factored.offset; counts[0]],
    };
    write_npy(&folder.join("users.npy"), &[counts[0], width + 1], &users)?;
    write_npy(&folder.join("items.npy"), &[counts[1], width + 1], &items)?;
    write_npy(&folder.join("users_offset.npy"), &[counts[0]], &offsets)?;
    let description = json!({
        "metric": "inner product",
        "dimensions": width + 1,
        "score": "users[u] · items[i] + users_offset[u]",
    });
    files::write_bytes(&folder.join("index.json"), (description.to_string() + "\n").as_bytes())?;
    let ids = [USER, ITEM].map(|field| write_ids(folder, file.entity(field)));
    let [users, items] = ids;
    let mut names: Vec<String> = ["users.npy", "items.npy", "users_offset.npy", "index.json"].map(String::from).into();
    names.extend([users?, items?]);
    Ok(names)
}

/// Writes numbers in row-major order as version 1.0 of numpy's form.
fn write_npy(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    let sizes: Vec<String> = shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sizes.join(" "));
    // Ten bytes before it and a line break after it; numbers begin at a multiple of 64.
    let padding = (64 - (10 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("few dimensions");
    files::write_atomic(path, |out| {
        let mut write = || -> std::io::Result<()> {
            out.write_all(b"\x93NUMPY\x01\x00")?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(header.as_bytes())?;
            values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
        };
        write().map_err(|e| Error::io("write", path, e))
    })
}
