//! Conditions and parameters on the command line.

use clap::Args;
use ream::{Parameter, Parameters, Schema};

use crate::refused::Refused;

/// Values for the `:names` of expressions.
#[derive(Debug, Args)]
pub(super) struct With {
    /// Give the parameter :NAME of an expression a value; may be given several times
    #[arg(long = "with", value_name = "NAME=VALUE")]
    with: Vec<String>,
}

impl With {
    /// The values, each of whatever type it meets, for the parameters of `expressions`.
    pub(super) fn parameters<'e>(
        &self,
        expressions: impl IntoIterator<Item = Option<&'e str>>,
    ) -> anyhow::Result<Parameters> {
        let texts: Vec<&str> = expressions.into_iter().flatten().collect();
        let mut parameters = Parameters::default();
        for given in &self.with {
            let Some((name, value)) = given.split_once('=') else {
                return Err(
                    Refused::Usage(format!("--with {given} has no value: NAME=VALUE")).into()
                );
            };
            if parameters.get(name).is_some() {
                return Err(Refused::Usage(format!("--with {name} is given twice")).into());
            }
            if !texts.iter().any(|text| text.contains(&format!(":{name}"))) {
                let message = format!("--with {name}: no expression has the parameter :{name}");
                return Err(Refused::Invalid { message, hint: None }.into());
            }
            parameters.insert(name, Parameter::Untyped(value.into()));
        }
        Ok(parameters)
    }
}

/// The numbers of the fields that a list names: `a, b`.
pub(super) fn fields(schema: &Schema, list: &str) -> anyhow::Result<Vec<usize>> {
    let mut fields = Vec::new();
    for name in list.split(',').map(str::trim) {
        let field = field(schema, name)?;
        if fields.contains(&field) {
            let message = format!("--fields names `{name}` twice");
            return Err(Refused::Invalid { message, hint: None }.into());
        }
        fields.push(field);
    }
    Ok(fields)
}

/// The number of the field `name`.
pub(super) fn field(schema: &Schema, name: &str) -> anyhow::Result<usize> {
    schema.position(name).ok_or_else(|| {
        let message = format!("no field `{name}`");
        let hint = match schema.near(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}",
                schema.names(&(0..schema.fields().len()).collect::<Vec<_>>())
            ),
        };
        Refused::Invalid { message, hint: Some(hint.into()) }.into()
    })
}
