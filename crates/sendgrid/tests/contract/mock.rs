//! The mock server that the tests share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::documents::Documents;
use super::prism::Prism;

/// A mock server over the documents; ended when the last test drops it.
pub(crate) fn shared(documents: &Documents) -> Arc<Prism> {
    static SHARED: Mutex<Weak<Prism>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let mode = ["mock", "--errors", "--seed", "weir"];
        let mock = Arc::new(Prism::start(&mode, &documents.text(), None));
        *shared = Arc::downgrade(&mock);
        mock
    })
}
