//! The vectors of words in a model of co-occurrences.

use super::model_file::ModelFile;
use super::views::Fitted;
use crate::config::choice;
use crate::data::Layout;
use crate::error::{Error, Result};
use crate::eval::WordVectors;

choice! {
    /// Which vector of a word is meant. A model has two of each: one of the word, and one of it as a context.
    #[derive(Default)]
    pub enum VectorKind {
        /// Both added up, as GloVe has it: each sees the other side of the same pairs.
        #[default]
        Sum = "sum",
        /// Half of that, which has the same cosines.
        Mean = "mean",
        /// That of the word.
        Word = "word",
        /// That of the context.
        Context = "context",
    }
}

impl ModelFile {
    /// Whether words have vectors: of co-occurrences, where the score is a dot product.
    pub(super) fn has_word_vectors(&self) -> bool {
        let is_product = || self.model.factored().is_some_and(|factored| factored.terms.len() == 2);
        self.layout == Layout::CoOccurrences && is_product()
    }

    /// The vectors of the words, `[words, rank]`. Singular values are shared by both sides: U√Σ and V√Σ.
    ///
    /// # Errors
    /// [`Error::Usage`] if the model is not of co-occurrences, or not a dot product.
    pub fn word_vectors(&self, kind: VectorKind) -> Result<(usize, Vec<f32>)> {
        let refused = |message: &str| Err(Error::Usage(message.into()));
        if self.layout != Layout::CoOccurrences {
            return refused(
                "this model is not of words and words near them; train on texts with data.format = \"co-occurrences\"",
            );
        }
        let Some(fitted) = Fitted::of(self) else {
            return refused(
                "the score of this model is not a dot product of a word and its context; words have no vectors",
            );
        };
        let factors = fitted.factors();
        // W has the singular values in it.
        let roots: Vec<f32> = match factors.singular_values {
            Some(values) => values.iter().map(|value| value.sqrt() as f32).collect(),
            None => vec![1.0; factors.rank],
        };
        let share = |root: f32| if root > 0.0 { 1.0 / root } else { 0.0 };
        let vectors =
            factors.w.chunks_exact(factors.rank).zip(factors.h.chunks_exact(factors.rank)).flat_map(|(w, h)| {
                let sides = w.iter().zip(h).zip(&roots).map(|((w, h), &root)| (w * share(root), h * root));
                sides.map(|(word, context)| match kind {
                    VectorKind::Sum => word + context,
                    VectorKind::Mean => (word + context) / 2.0,
                    VectorKind::Word => word,
                    VectorKind::Context => context,
                })
            });
        Ok((factors.rank, vectors.collect()))
    }

    /// The same with length 1, to be compared.
    ///
    /// # Errors
    /// Those of [`word_vectors`](Self::word_vectors).
    pub fn compared_words(&self, kind: VectorKind) -> Result<WordVectors<'_>> {
        let (width, values) = self.word_vectors(kind)?;
        Ok(WordVectors::new(self.users(), width, values))
    }
}
