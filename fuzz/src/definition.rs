//! Definitions of projections, as `--schema FILE` has them and the store keeps them.

use ream::Definition;

/// That a text is a definition, which comes out as it went in; or that its error can be shown. Whether
/// it is one.
pub fn definition(text: &str) -> bool {
    match Definition::parse(text) {
        Ok(definition) => {
            let json = definition.to_json();
            let again = Definition::parse(&json).expect("what is written is read");
            assert_eq!(again.to_json(), json);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}
