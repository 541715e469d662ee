//! The walk over a syntax tree that finds imports, scopes, dotted names and texts.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprContext, Pattern, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::facts::{
    Binding, Chain, Facts, From, Import, ImportedName, RelativeCall, Role, Scope, ScopeKind, Span, Task, Text,
};
use super::names::{catches_import_errors, chain_words, dotted, last, may_import, span, texts, word};
use super::place::{self, Values, folder};

/// Everything that the statements of a module say.
pub(super) fn facts(source: &str, body: &[Stmt], with_all: bool) -> Facts {
    let mut walk = Walk {
        source,
        with_all,
        facts: Facts::default(),
        values: Values::new(),
        scope: 0,
        now: 0,
        annotation: false,
        optional: 0,
        typing: 0,
    };
    walk.facts.scopes.push(Scope::new(ScopeKind::Module, None));
    walk.docstring(body);
    walk.visit_body(body);
    walk.facts
}

struct Walk<'a> {
    source: &'a str,
    /// Whether functions are walked that import nothing and bind nothing of the module.
    with_all: bool,
    facts: Facts,
    /// What the module's names were given so far.
    values: Values<'a>,
    scope: usize,
    /// Where the statement that is walked begins.
    now: usize,
    annotation: bool,
    optional: usize,
    typing: usize,
}

impl<'a> Walk<'a> {
    fn bind(&mut self, name: &str, binding: Binding) {
        let at = match self.facts.scopes.get(self.scope) {
            Some(scope) if scope.globals.contains(name) => 0,
            Some(scope) if scope.nonlocals.contains(name) => scope.parent.unwrap_or(0),
            _ => self.scope,
        };
        if at == 0 {
            self.facts.first_bound.entry(name.to_owned()).or_insert(self.now);
        }
        if let Some(scope) = self.facts.scopes.get_mut(at) {
            scope.bindings.entry(name.to_owned()).or_default().push(binding);
        }
    }

    fn within(&mut self, kind: ScopeKind, walk: impl FnOnce(&mut Self)) {
        let outer = self.scope;
        self.facts.scopes.push(Scope::new(kind, Some(outer)));
        self.scope = self.facts.scopes.len() - 1;
        walk(self);
        self.scope = outer;
    }

    fn is_late(&self) -> bool {
        let mut at = Some(self.scope);
        while let Some(scope) = at.and_then(|index| self.facts.scopes.get(index)) {
            if scope.kind == ScopeKind::Function {
                return true;
            }
            at = scope.parent;
        }
        false
    }

    fn docstring(&mut self, body: &'a [Stmt]) {
        if let Some(Stmt::Expr(statement)) = body.first()
            && let Expr::StringLiteral(literal) = statement.value.as_ref()
        {
            self.text(literal, Role::Docstring);
        }
    }

    fn import(&mut self, range: TextRange, from: Option<From>, names: &[ast::Alias]) {
        let index = self.facts.imports.len();
        let is_from = from.is_some();
        let names: Vec<ImportedName> = names
            .iter()
            .map(|alias| ImportedName {
                name: word(&alias.name),
                alias: alias.asname.as_ref().map(word),
                span: span(alias.range()),
            })
            .collect();
        for (at, name) in names.iter().enumerate() {
            if let Some(bound) = name.bound(is_from) {
                let bound = bound.to_owned();
                self.bind(&bound, Binding::Import(index, at));
            }
        }
        let import = Import {
            span: span(range),
            from,
            names,
            scope: self.scope,
            is_optional: self.optional > 0,
            is_typing: self.typing > 0,
            is_late: self.is_late(),
        };
        self.facts.imports.push(import);
    }

    /// The place of the dots and the module between `from` and `import`: the tree has none for the dots.
    fn from(&self, statement: &ast::StmtImportFrom) -> From {
        let start = statement.range().start().to_usize() + "from".len();
        let rest = self.source.get(start..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\x0c', '\\', '\r', '\n']).len();
        let begin = start + blank;
        let level = usize::try_from(statement.level).unwrap_or(0);
        let end = match &statement.module {
            Some(module) => module.range().end().to_usize(),
            None => self.after_dots(begin, level),
        };
        let module = statement.module.as_ref().map(|module| module.as_str().to_owned()).unwrap_or_default();
        From { level, module, span: Span::new(begin, end) }
    }

    fn after_dots(&self, begin: usize, level: usize) -> usize {
        let mut left = level;
        for (at, byte) in self.source.as_bytes().iter().enumerate().skip(begin) {
            if left == 0 {
                return at;
            }
            left -= usize::from(*byte == b'.');
        }
        self.source.len()
    }

    fn text(&mut self, literal: &ast::ExprStringLiteral, role: Role) -> usize {
        let parts: Vec<Span> = literal.value.iter().map(|part| span(part.content_range())).collect();
        let is_plain = literal.value.iter().zip(&parts).all(|(part, at)| {
            self.source.get(at.start..at.end).is_some_and(|written| written == part.value.as_ref())
        });
        let value = literal.value.to_str().to_owned();
        self.facts.texts.push(Text { span: span(literal.range()), value, parts, is_plain, role });
        self.facts.texts.len() - 1
    }

    /// A text in an annotation is an expression of its own.
    fn quoted(&mut self, literal: &'a ast::ExprStringLiteral) -> bool {
        let [part] = literal.value.as_slice() else { return false };
        let content = span(part.content_range());
        if self.source.get(content.start..content.end) != Some(part.value.as_ref()) {
            return false;
        }
        let Ok(parsed) = ruff_python_parser::parse_string_annotation(self.source, part) else { return false };
        let mut inner = Inner { walk: self };
        inner.walk_expression(parsed.expr());
        true
    }

    fn chain(&mut self, expression: &Expr, is_target: bool, is_quoted: bool) -> bool {
        let Some(words) = chain_words(expression) else { return false };
        if let [only] = words.as_slice()
            && only.text == "__file__"
        {
            self.facts.file_uses.push(only.span);
        }
        self.facts.chains.push(Chain { words, scope: self.scope, is_target, is_quoted });
        true
    }

    fn call(&mut self, call: &'a ast::ExprCall) {
        let name = dotted(&call.func).unwrap_or_default();
        self.visit_expr(&call.func);
        let callee = last(&call.func).unwrap_or_default();
        if matches!(callee, "globals" | "exec" | "vars" | "setattr") && self.scope == 0 {
            self.facts.is_dynamic = true;
        }
        let mut texts = Vec::new();
        for (at, argument) in call.arguments.args.iter().enumerate() {
            // The first argument of `cast` is an annotation, whatever it looks like.
            if callee == "cast" && at == 0 {
                self.visit_annotation(argument);
                continue;
            }
            texts.push((None, self.argument(argument, &name, at)));
        }
        for (at, keyword) in call.arguments.keywords.iter().enumerate() {
            let at = call.arguments.args.len() + at;
            let text = self.argument(&keyword.value, &name, at);
            texts.push((keyword.arg.as_ref().map(ast::Identifier::as_str), text));
        }
        if matches!(name.as_str(), "sys.path.insert" | "sys.path.append" | "site.addsitedir")
            && let Some(found) = call.arguments.args.last().and_then(|path| folder(path, &self.values))
        {
            self.facts.script_folders.push(found);
        }
        match callee {
            "import_module" | "__import__" => self.imports_by_call(call, callee, &texts),
            "getLogger" => {
                let named = call.arguments.args.first().and_then(dotted);
                self.facts.logs_by_name |= named.as_deref() == Some("__name__");
            }
            _ => {}
        }
    }

    fn argument(&mut self, argument: &'a Expr, name: &str, at: usize) -> Option<usize> {
        if let Expr::StringLiteral(literal) = argument {
            return Some(self.text(literal, Role::Argument(name.to_owned(), at)));
        }
        self.visit_expr(argument);
        None
    }

    fn imports_by_call(
        &mut self,
        call: &ast::ExprCall,
        callee: &str,
        texts: &[(Option<&str>, Option<usize>)],
    ) {
        let Some(Some(name)) = texts.first().map(|(_, text)| *text) else {
            if !call.arguments.is_empty() {
                self.facts.computed_imports.push(span(call.range()));
            }
            return;
        };
        let is_relative = self.facts.texts.get(name).is_some_and(|text| text.value.starts_with('.'));
        if callee != "import_module" || !is_relative {
            return;
        }
        let package = call.arguments.find_argument_value("package", 1);
        let Some(package) = package else { return };
        let own = matches!(dotted(package).as_deref(), Some("__name__" | "__package__"));
        let literal = texts
            .iter()
            .enumerate()
            .find(|(at, (word, _))| *word == Some("package") || (word.is_none() && *at == 1));
        let literal = literal.and_then(|(_, (_, text))| *text);
        if literal.is_none() && !own {
            self.facts.computed_imports.push(span(call.range()));
            return;
        }
        let from = self.facts.texts.get(name).map_or(0, |text| text.span.end);
        let rest = Span::new(from, package.range().end().to_usize());
        self.facts.relative_calls.push(RelativeCall { name, package: literal, rest });
    }

    fn comprehension(&mut self, generators: &'a [ast::Comprehension], elements: &[&'a Expr]) {
        // The first source is looked up outside.
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.within(ScopeKind::Function, |walk| {
            for (at, generator) in generators.iter().enumerate() {
                if at > 0 {
                    walk.visit_expr(&generator.iter);
                }
                walk.visit_expr(&generator.target);
                for condition in &generator.ifs {
                    walk.visit_expr(condition);
                }
            }
            for element in elements {
                walk.visit_expr(element);
            }
        });
    }

    fn parameters(&mut self, parameters: &'a ast::Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str(), Binding::Value);
        }
    }

    /// What is looked up where the function is defined: defaults and annotations.
    fn signature(&mut self, parameters: &'a ast::Parameters) {
        for parameter in parameters {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
            if let Some(annotation) = parameter.as_parameter().annotation() {
                self.visit_annotation(annotation);
            }
        }
    }

    fn function(&mut self, function: &'a ast::StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_expr(&decorator.expression);
            self.task(decorator, function);
        }
        if function.name.as_str() == "__getattr__" && self.scope == 0 {
            self.facts.is_dynamic = true;
        }
        self.bind(function.name.as_str(), Binding::Definition);
        if !self.with_all && !may_import(self.source, span(function.range())) {
            return;
        }
        self.within(ScopeKind::Function, |walk| {
            if let Some(parameters) = &function.type_params {
                walk.visit_type_params(parameters);
            }
            walk.signature(&function.parameters);
            if let Some(returns) = &function.returns {
                walk.visit_annotation(returns);
            }
            walk.within(ScopeKind::Function, |walk| {
                walk.parameters(&function.parameters);
                walk.docstring(&function.body);
                walk.visit_body(&function.body);
            });
        });
    }

    fn task(&mut self, decorator: &ast::Decorator, function: &ast::StmtFunctionDef) {
        let (called, call) = match &decorator.expression {
            Expr::Call(call) => (call.func.as_ref(), Some(call)),
            other => (other, None),
        };
        if !matches!(last(called), Some("task" | "shared_task")) {
            return;
        }
        if call.is_some_and(|call| call.arguments.find_keyword("name").is_some()) {
            return;
        }
        self.facts.tasks.push(Task {
            span: span(decorator.expression.range()),
            inside: call.map(|call| call.arguments.range().start().to_usize() + 1),
            has_arguments: call.is_some_and(|call| !call.arguments.is_empty()),
            function: function.name.as_str().to_owned(),
        });
    }

    fn class(&mut self, class: &'a ast::StmtClassDef) {
        for decorator in &class.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        self.bind(class.name.as_str(), Binding::Definition);
        self.within(ScopeKind::Function, |walk| {
            if let Some(parameters) = &class.type_params {
                walk.visit_type_params(parameters);
            }
            if let Some(arguments) = &class.arguments {
                walk.visit_arguments(arguments);
            }
            walk.within(ScopeKind::Class, |walk| {
                walk.docstring(&class.body);
                walk.visit_body(&class.body);
            });
        });
    }

    fn exports(&mut self, value: &Expr) {
        let elements: &[Expr] = match value {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            _ => return,
        };
        let exports = self.facts.exports.get_or_insert_default();
        for element in elements {
            if let Expr::StringLiteral(literal) = element {
                exports.push(literal.value.to_str().to_owned());
            }
        }
    }

    fn tried(&mut self, statement: &'a ast::StmtTry) {
        let is_guard = statement.handlers.iter().any(|handler| {
            let ast::ExceptHandler::ExceptHandler(handler) = handler;
            handler.type_.as_deref().is_none_or(catches_import_errors)
        });
        self.optional += usize::from(is_guard);
        self.visit_body(&statement.body);
        self.optional -= usize::from(is_guard);
        // What stands in for a missing module may be missing as well.
        self.optional += usize::from(is_guard);
        for handler in &statement.handlers {
            self.visit_except_handler(handler);
        }
        self.optional -= usize::from(is_guard);
        self.visit_body(&statement.orelse);
        self.visit_body(&statement.finalbody);
    }

    fn conditional(&mut self, statement: &'a ast::StmtIf) {
        self.visit_expr(&statement.test);
        let is_typing = last(&statement.test) == Some("TYPE_CHECKING");
        self.typing += usize::from(is_typing);
        self.visit_body(&statement.body);
        self.typing -= usize::from(is_typing);
        for clause in &statement.elif_else_clauses {
            self.visit_elif_else_clause(clause);
        }
    }

    fn subscript(&mut self, subscript: &'a ast::ExprSubscript) {
        let was = self.annotation;
        self.visit_expr(&subscript.value);
        if last(&subscript.value) == Some("Literal") {
            self.annotation = false;
        }
        self.visit_expr(&subscript.slice);
        self.annotation = was;
    }

    fn f_string(&mut self, literal: &'a ast::ExprFString) {
        let mut is_first = true;
        for part in &literal.value {
            match part {
                ast::FStringPart::Literal(part) => {
                    let at = span(part.content_range());
                    self.piece(&part.value, at, is_first);
                    is_first = false;
                }
                ast::FStringPart::FString(part) => {
                    for element in &part.elements {
                        if let ast::InterpolatedStringElement::Literal(piece) = element {
                            self.piece(&piece.value, span(piece.range), is_first);
                        }
                        is_first = false;
                        self.visit_interpolated_string_element(element);
                    }
                }
            }
        }
    }

    fn piece(&mut self, value: &str, at: Span, is_first: bool) {
        let is_plain = self.source.get(at.start..at.end) == Some(value);
        let role = Role::Piece(is_first);
        self.facts.texts.push(Text { span: at, value: value.to_owned(), parts: vec![at], is_plain, role });
    }
}

impl<'a> Visitor<'a> for Walk<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let outer = std::mem::replace(&mut self.now, statement.range().start().to_usize());
        match statement {
            Stmt::Import(import) => self.import(import.range(), None, &import.names),
            Stmt::ImportFrom(import) => {
                let from = self.from(import);
                self.import(import.range(), Some(from), &import.names);
            }
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Try(statement) => self.tried(statement),
            Stmt::If(statement) => self.conditional(statement),
            Stmt::Global(names) => {
                if let Some(scope) = self.facts.scopes.get_mut(self.scope) {
                    scope.globals.extend(texts(&names.names));
                }
            }
            Stmt::Nonlocal(names) => {
                if let Some(scope) = self.facts.scopes.get_mut(self.scope) {
                    scope.nonlocals.extend(texts(&names.names));
                }
            }
            Stmt::Assign(assign) => {
                let found = &mut self.facts.script_folders;
                place::assigned(assign, self.scope == 0, &mut self.values, found);
                let is_exports = assign.targets.iter().any(|target| last(target) == Some("__all__"));
                if is_exports && self.scope == 0 {
                    self.exports(&assign.value);
                }
                visitor::walk_stmt(self, statement);
            }
            Stmt::AugAssign(assign) => {
                if dotted(&assign.target).as_deref() == Some("sys.path") {
                    place::listed(&assign.value, &self.values, &mut self.facts.script_folders);
                }
                if last(&assign.target) == Some("__all__") && self.scope == 0 {
                    self.exports(&assign.value);
                }
                visitor::walk_stmt(self, statement);
            }
            // A docstring was read already.
            Stmt::Expr(statement) if matches!(statement.value.as_ref(), Expr::StringLiteral(_)) => {}
            _ => visitor::walk_stmt(self, statement),
        }
        self.now = outer;
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let was = std::mem::replace(&mut self.annotation, true);
        self.visit_expr(annotation);
        self.annotation = was;
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) => {
                let is_target = name.ctx != ExprContext::Load;
                if is_target {
                    self.bind(name.id.as_str(), Binding::Value);
                }
                self.chain(expression, is_target, false);
            }
            Expr::Attribute(attribute) => {
                if !self.chain(expression, false, false) {
                    self.visit_expr(&attribute.value);
                }
            }
            Expr::StringLiteral(literal) => {
                if !(self.annotation && self.quoted(literal)) {
                    self.text(literal, Role::Plain);
                }
            }
            Expr::FString(literal) => self.f_string(literal),
            Expr::Call(call) => {
                let was = std::mem::replace(&mut self.annotation, false);
                self.call(call);
                self.annotation = was;
            }
            Expr::Subscript(subscript) => self.subscript(subscript),
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.signature(parameters);
                }
                self.within(ScopeKind::Function, |walk| {
                    if let Some(parameters) = &lambda.parameters {
                        walk.parameters(parameters);
                    }
                    walk.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(list) => self.comprehension(&list.generators, &[&list.elt]),
            Expr::SetComp(set) => self.comprehension(&set.generators, &[&set.elt]),
            Expr::Generator(generator) => self.comprehension(&generator.generators, &[&generator.elt]),
            Expr::DictComp(dict) => {
                let elements: Vec<&Expr> =
                    dict.key.iter().map(AsRef::as_ref).chain([dict.value.as_ref()]).collect();
                self.comprehension(&dict.generators, &elements);
            }
            _ => visitor::walk_expr(self, expression),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name.as_str(), Binding::Value);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(inner) => inner.name.as_ref(),
            Pattern::MatchStar(inner) => inner.name.as_ref(),
            Pattern::MatchMapping(inner) => inner.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str(), Binding::Value);
        }
        visitor::walk_pattern(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'a ast::TypeParam) {
        self.bind(parameter.name().as_str(), Binding::Value);
        visitor::walk_type_param(self, parameter);
    }
}

/// The walk over an expression that was parsed on its own, and does not live as long as the file's tree.
struct Inner<'w, 'a> {
    walk: &'w mut Walk<'a>,
}

impl Inner<'_, '_> {
    fn walk_expression(&mut self, expression: &Expr) {
        self.visit_expr(expression);
    }
}

impl<'b> Visitor<'b> for Inner<'_, '_> {
    fn visit_expr(&mut self, expression: &'b Expr) {
        match expression {
            Expr::Name(_) => {
                self.walk.chain(expression, false, true);
            }
            Expr::Attribute(attribute) => {
                if !self.walk.chain(expression, false, true) {
                    self.visit_expr(&attribute.value);
                }
            }
            Expr::Subscript(subscript) if last(&subscript.value) == Some("Literal") => {}
            _ => visitor::walk_expr(self, expression),
        }
    }
}
