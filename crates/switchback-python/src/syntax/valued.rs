//! The reader that turns the parser's tree into plain values.

use std::sync::Arc;

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions};
use ruff_text_size::Ranged;

use super::names::span;
use super::values::{Argument, ClassDefinition, Deed, Definition, Expression, Form, Formal, Statement};
use super::{depth, encoding};

/// The statements of the module in `bytes`, as far as it parses.
pub fn values(bytes: &[u8]) -> Vec<Statement> {
    let source = encoding::read(bytes).text;
    let read = depth::walk(&source, ParseOptions::from(Mode::Module), |parsed| match parsed.syntax() {
        ast::Mod::Module(module) => body(&module.body),
        ast::Mod::Expression(_) => Vec::new(),
    });
    read.unwrap_or_default()
}

fn body(statements: &[Stmt]) -> Vec<Statement> {
    statements.iter().map(statement).collect()
}

fn statement(statement: &Stmt) -> Statement {
    let deed = match statement {
        Stmt::Import(_) | Stmt::ImportFrom(_) => Deed::Import,
        Stmt::Assign(assign) => {
            Deed::Assign(assign.targets.iter().map(expression).collect(), expression(&assign.value))
        }
        Stmt::AnnAssign(assign) => match &assign.value {
            Some(value) => Deed::Assign(vec![expression(&assign.target)], expression(value)),
            None => Deed::Declare(expression(&assign.target)),
        },
        Stmt::TypeAlias(alias) => Deed::Assign(vec![expression(&alias.name)], expression(&alias.value)),
        Stmt::AugAssign(assign) if assign.op == ast::Operator::Add => {
            Deed::Extend(expression(&assign.target), expression(&assign.value))
        }
        Stmt::FunctionDef(function) => Deed::Define(Arc::new(definition(function))),
        Stmt::ClassDef(class) => Deed::Class(Arc::new(ClassDefinition {
            name: class.name.as_str().to_owned(),
            name_span: span(class.name.range()),
            decorators: decorators(&class.decorator_list),
            bases: class.bases().iter().map(expression).collect(),
            body: body(&class.body),
            span: span(class.range()),
        })),
        Stmt::Expr(inner) => Deed::Express(expression(&inner.value)),
        Stmt::If(branch) => Deed::Branch(branches(branch)),
        Stmt::For(each) => Deed::Loop(expression(&each.target), expression(&each.iter), body(&each.body)),
        Stmt::While(each) => Deed::Perhaps(body(&each.body)),
        Stmt::Match(cases) => Deed::Perhaps(cases.cases.iter().flat_map(|case| body(&case.body)).collect()),
        Stmt::With(with) => {
            let items = with
                .items
                .iter()
                .map(|item| (expression(&item.context_expr), item.optional_vars.as_deref().map(expression)));
            Deed::With(items.collect(), body(&with.body))
        }
        Stmt::Try(attempt) => {
            let handlers = attempt.handlers.iter().map(|handler| {
                let ast::ExceptHandler::ExceptHandler(handler) = handler;
                body(&handler.body)
            });
            let mut first = body(&attempt.body);
            first.extend(body(&attempt.orelse));
            Deed::Attempt(first, handlers.collect(), body(&attempt.finalbody))
        }
        Stmt::Return(back) => Deed::Return(back.value.as_deref().map(expression)),
        _ => Deed::Other,
    };
    Statement { span: span(statement.range()), deed }
}

fn branches(branch: &ast::StmtIf) -> Vec<(Option<Expression>, Vec<Statement>)> {
    let first = (Some(expression(&branch.test)), body(&branch.body));
    let rest = branch
        .elif_else_clauses
        .iter()
        .map(|clause| (clause.test.as_ref().map(expression), body(&clause.body)));
    std::iter::once(first).chain(rest).collect()
}

fn decorators(list: &[ast::Decorator]) -> Vec<Expression> {
    list.iter().map(|decorator| expression(&decorator.expression)).collect()
}

fn definition(function: &ast::StmtFunctionDef) -> Definition {
    let formal = |parameter: &ast::ParameterWithDefault, is_place| Formal {
        name: parameter.parameter.name.as_str().to_owned(),
        default: parameter.default.as_deref().map(expression),
        annotation: parameter.parameter.annotation().map(expression),
        is_place,
    };
    let list = &function.parameters;
    let places = list.posonlyargs.iter().chain(&list.args).map(|parameter| formal(parameter, true));
    let names = list.kwonlyargs.iter().map(|parameter| formal(parameter, false));
    let name = |parameter: &ast::Parameter| parameter.name.as_str().to_owned();
    Definition {
        name: function.name.as_str().to_owned(),
        name_span: span(function.name.range()),
        decorators: decorators(&function.decorator_list),
        parameters: places.chain(names).collect(),
        rest: (list.vararg.as_deref().map(name), list.kwarg.as_deref().map(name)),
        body: body(&function.body),
        span: span(function.range()),
    }
}

fn boxed(inner: &Expr) -> Box<Expression> {
    Box::new(expression(inner))
}

fn expression(written: &Expr) -> Expression {
    let list = |elements: &[Expr]| Form::List(elements.iter().map(expression).collect());
    let form = match written {
        Expr::StringLiteral(literal) => Form::Text(literal.value.to_str().to_owned()),
        Expr::BooleanLiteral(literal) => Form::Flag(literal.value),
        Expr::NoneLiteral(_) => Form::Nothing,
        Expr::NumberLiteral(literal) => match &literal.value {
            ast::Number::Int(number) => number.as_u64().map_or(Form::Other, Form::Number),
            _ => Form::Other,
        },
        Expr::Name(name) => Form::Name(name.id.as_str().to_owned()),
        Expr::Attribute(attribute) => {
            Form::Attribute(boxed(&attribute.value), attribute.attr.as_str().to_owned())
        }
        Expr::Call(call) => Form::Call(boxed(&call.func), arguments(&call.arguments)),
        Expr::List(inner) => list(&inner.elts),
        Expr::Tuple(inner) => list(&inner.elts),
        Expr::Set(inner) => list(&inner.elts),
        Expr::Dict(dict) => Form::Mapping(
            dict.items
                .iter()
                .map(|item| (item.key.as_ref().map(expression), expression(&item.value)))
                .collect(),
        ),
        Expr::BinOp(operation) if operation.op == ast::Operator::Add => {
            Form::Sum(boxed(&operation.left), boxed(&operation.right))
        }
        Expr::BinOp(operation) if operation.op == ast::Operator::Div => {
            Form::Below(boxed(&operation.left), boxed(&operation.right))
        }
        Expr::FString(literal) => Form::Format(pieces(literal)),
        Expr::If(choice) => Form::Choice(boxed(&choice.body), boxed(&choice.orelse)),
        Expr::BoolOp(operation) => Form::FirstOf(operation.values.iter().map(expression).collect()),
        Expr::Starred(starred) => Form::Spread(boxed(&starred.value)),
        Expr::Subscript(subscript) => Form::Item(boxed(&subscript.value), boxed(&subscript.slice)),
        Expr::ListComp(inner) => comprehension(&inner.elt, &inner.generators),
        Expr::SetComp(inner) => comprehension(&inner.elt, &inner.generators),
        Expr::Generator(inner) => comprehension(&inner.elt, &inner.generators),
        Expr::Await(inner) => return Expression { span: span(written.range()), ..expression(&inner.value) },
        Expr::Named(inner) => return expression(&inner.value),
        Expr::Lambda(_) => Form::Lambda,
        _ => Form::Other,
    };
    Expression { span: span(written.range()), form }
}

fn comprehension(element: &Expr, generators: &[ast::Comprehension]) -> Form {
    let [only] = generators else { return Form::Other };
    Form::Comprehension {
        element: boxed(element),
        target: boxed(&only.target),
        source: boxed(&only.iter),
        is_filtered: !only.ifs.is_empty(),
    }
}

fn arguments(arguments: &ast::Arguments) -> Vec<Argument> {
    let places = arguments.args.iter().map(|value| Argument {
        name: None,
        value: expression(value),
        is_keywords: false,
    });
    let names = arguments.keywords.iter().map(|keyword| Argument {
        name: keyword.arg.as_ref().map(|name| name.as_str().to_owned()),
        value: expression(&keyword.value),
        is_keywords: keyword.arg.is_none(),
    });
    places.chain(names).collect()
}

fn pieces(literal: &ast::ExprFString) -> Vec<Expression> {
    let mut found = Vec::new();
    for part in &literal.value {
        match part {
            ast::FStringPart::Literal(part) => {
                let form = Form::Text(part.value.to_string());
                found.push(Expression { span: span(part.range()), form });
            }
            ast::FStringPart::FString(part) => {
                for element in &part.elements {
                    found.push(match element {
                        ast::InterpolatedStringElement::Literal(piece) => {
                            Expression { span: span(piece.range), form: Form::Text(piece.value.to_string()) }
                        }
                        ast::InterpolatedStringElement::Interpolation(piece)
                            if piece.format_spec.is_none() =>
                        {
                            expression(&piece.expression)
                        }
                        ast::InterpolatedStringElement::Interpolation(piece) => {
                            Expression { span: span(piece.range), form: Form::Other }
                        }
                    });
                }
            }
        }
    }
    found
}
