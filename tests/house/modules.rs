//! The modules of a crate as they are written: their names, and each path that they mention.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItem, Item, Meta, UseTree, Visibility};

/// Source files by their paths within `src`.
pub(crate) type Files = BTreeMap<String, String>;

/// A module's way from the root of its crate; a path in code.
pub(crate) type Way = Vec<String>;

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}", self.file, self.line)
    }
}

/// What a name in a module stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// An item of the module's own.
    Item,
    /// A module below it.
    Module,
    /// What a `use` brings in.
    Used(Way),
}

/// A module, with all that is not only for tests.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) names: BTreeMap<String, Vec<Named>>,
    /// What `use …::*` brings in.
    pub(crate) globs: Vec<Way>,
    /// Words in calls of macros, which may define items by them.
    pub(crate) words: BTreeSet<String>,
    pub(crate) paths: Vec<(Way, Place)>,
    /// The methods that are written here, by the type's path and their names.
    pub(crate) methods: BTreeSet<(Way, String)>,
    /// Those that are called here on `self`, likewise.
    pub(crate) calls: Vec<(Way, String, Place)>,
}

/// A crate's modules.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<Way, Module>,
    /// The directory of its root.
    pub(crate) directory: String,
    pub(crate) files: BTreeSet<String>,
    /// Files of modules that are there in tests alone.
    pub(crate) tests: BTreeSet<String>,
}

impl Crate {
    /// Reads the modules from the root's file on. `#[path]` is followed on each system.
    pub(crate) fn read(files: &Files, root: &str) -> Self {
        let mut read = Self { directory: parent(root).to_owned(), ..Self::default() };
        let mut left = vec![(Way::new(), root.to_owned())];
        while let Some((way, name)) = left.pop() {
            let text = files.get(&name).unwrap_or_else(|| panic!("no file {name} for {way:?}"));
            let file: File = syn::parse_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            read.files.insert(name.clone());
            read.modules.entry(way.clone()).or_default();
            let mut reader =
                Reader { read: &mut read, file: name, way, of: None, left: Vec::new() };
            reader.visit_file(&file);
            left.append(&mut reader.left);
        }
        read
    }
}

struct Reader<'c> {
    read: &'c mut Crate,
    file: String,
    way: Way,
    /// The type whose methods are being read.
    of: Option<Way>,
    /// The modules in files of their own that were met.
    left: Vec<(Way, String)>,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.read.modules.get_mut(&self.way).unwrap()
    }

    fn name(&mut self, ident: &Ident, named: Named) {
        let known = self.module().names.entry(ident.to_string()).or_default();
        if !known.contains(&named) {
            known.push(named);
        }
    }

    fn mention(&mut self, way: Way, line: usize) {
        let place = Place { file: self.file.clone(), line };
        self.module().paths.push((way, place));
    }

    /// What a `use` brings in, and what it mentions.
    fn import(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |ident: &Ident| [prefix, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(prefix, tree)),
            UseTree::Glob(glob) => {
                self.mention(prefix.to_vec(), glob.star_token.spans[0].start().line);
                self.module().globs.push(prefix.to_vec());
            }
            UseTree::Name(name) => self.bring(prefix, &name.ident, &name.ident),
            UseTree::Rename(renamed) => self.bring(prefix, &renamed.ident, &renamed.rename),
        }
    }

    fn bring(&mut self, prefix: &[String], ident: &Ident, name: &Ident) {
        let mut way = prefix.to_vec();
        let mut name = name.to_string();
        if ident == "self" {
            // `use a::{self}` names it by its own name.
            if name == "self" {
                name.clone_from(prefix.last().unwrap());
            }
        } else {
            way.push(ident.to_string());
        }
        self.mention(way.clone(), ident.span().start().line);
        // `use a;` of another crate leads nowhere but to itself.
        if way != [name.clone()] {
            self.module().names.entry(name).or_default().push(Named::Used(way));
        }
    }

    /// The paths in tokens that are not parsed: those of macros and attributes.
    fn scan(&mut self, tokens: TokenStream) {
        let mut way = Way::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || way.is_empty() {
                        self.scanned(&mut way, line);
                        line = ident.span().start().line;
                    }
                    way.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.scanned(&mut way, line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.scanned(&mut way, line);
    }

    fn scanned(&mut self, way: &mut Way, line: usize) {
        if !way.is_empty() {
            self.mention(std::mem::take(way), line);
        }
    }

    fn module_below(&mut self, module: &syn::ItemMod) {
        self.name(&module.ident, Named::Module);
        let way = [&*self.way, &[module.ident.to_string()]].concat();
        if let Some((_, items)) = &module.content {
            self.read.modules.entry(way.clone()).or_default();
            let outer = std::mem::replace(&mut self.way, way);
            for item in items {
                self.visit_item(item);
            }
            self.way = outer;
            return;
        }
        let files = self.files(module, &way);
        self.left.extend(files.into_iter().map(|file| (way.clone(), file)));
    }

    /// Where a module is written that has a file of its own.
    fn files(&self, module: &syn::ItemMod, way: &[String]) -> Vec<String> {
        let said: Vec<String> = module.attrs.iter().filter_map(path_of).collect();
        if said.is_empty() {
            return vec![within(&self.read.directory, &(way.join("/") + ".rs"))];
        }
        said.iter().map(|path| within(parent(&self.file), path)).collect()
    }

    fn call(&mut self, method: &Ident) {
        if let Some(of) = self.of.clone() {
            let place = Place { file: self.file.clone(), line: method.span().start().line };
            self.module().calls.push((of, method.to_string(), place));
        }
    }
}

fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(directory, _)| directory)
}

pub(crate) fn within(directory: &str, path: &str) -> String {
    let parts = [directory, path].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("/")
}

/// The file that `#[path = "…"]` names, or `#[cfg_attr(…, path = "…")]`.
fn path_of(attribute: &Attribute) -> Option<String> {
    let text = |expression: &syn::Expr| match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    };
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => text(&pair.value),
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let tokens = list.tokens.clone().into_iter();
            let after = tokens.skip_while(|token| token.to_string() != "path").skip(2);
            let value = after.take(1).collect();
            syn::parse2::<syn::LitStr>(value).ok().map(|text| text.value())
        }
        _ => None,
    }
}

/// Whether what has these attributes is there in tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => {
                let parser = Punctuated::<Meta, syn::Token![,]>::parse_terminated;
                list.parse_args_with(parser).is_ok_and(|all| all.iter().any(needs_test))
            }
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|meta| needs_test(&meta))
    })
}

/// An item's attributes, and its name where it has one.
fn parts(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => panic!("an item of a kind that the house does not know"),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = parts(item);
        if is_test(attributes) {
            if let Item::Mod(module @ syn::ItemMod { content: None, .. }) = item {
                let way = [&*self.way, &[module.ident.to_string()]].concat();
                let files = self.files(module, &way);
                self.read.tests.extend(files);
            }
            return;
        }
        if let Some(name) = name {
            self.name(name, Named::Item);
        }
        match item {
            Item::Mod(module) => self.module_below(module),
            Item::Use(import) if import.leading_colon.is_none() => self.import(&[], &import.tree),
            Item::Use(_) => {}
            Item::Macro(call) => {
                if call.ident.is_none() {
                    let words = words(call.mac.tokens.clone());
                    self.module().words.extend(words);
                }
                visit::visit_item(self, item);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = self.of.take();
        if let syn::Type::Path(path) = &*item.self_ty {
            let way = way_of(&path.path);
            if item.trait_.is_none() {
                let functions = item.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) => Some((way.clone(), function.sig.ident.to_string())),
                    _ => None,
                });
                self.module().methods.extend(functions);
            }
            self.of = Some(way);
        }
        visit::visit_item_impl(self, item);
        self.of = outer;
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let syn::Expr::Path(receiver) = &*call.receiver
            && receiver.path.is_ident("self")
        {
            self.call(&call.method);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => panic!("an item of a kind that the house does not know"),
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(way_of(path), path.segments[0].ident.span().start().line);
        }
        if path.segments[0].ident == "Self" && path.segments.len() > 1 {
            self.call(&path.segments[1].ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        // Most take expressions.
        match call.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated) {
            Ok(expressions) => expressions.iter().for_each(|given| self.visit_expr(given)),
            Err(_) => self.scan(call.tokens.clone()),
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    /// `pub(in crate::a)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn way_of(path: &syn::Path) -> Way {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(ident) => vec![ident.to_string()],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    });
    words.collect()
}
