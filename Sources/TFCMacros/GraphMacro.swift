import SwiftOperators
import SwiftSyntax
import SwiftSyntaxBuilder
import SwiftSyntaxMacros

/// `@Graph`: runs a function's body in a trace, with its control flow rewritten.
///
///     @Graph func step(_ x: Tensor<Float>) -> Tensor<Float> { … }
///     func step(_ x: Tensor<Float>) -> Tensor<Float> {
///       return TFC.graph("step", x, state: { _ in }, result: { $0.visit(&$1, "result") }) { (x) -> Tensor<Float> in … }
///     }
struct GraphMacro: BodyMacro {
  static func expansion(
    of node: AttributeSyntax,
    providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
    in context: some MacroExpansionContext
  ) throws -> [CodeBlockItemSyntax] {
    guard let body = declaration.body else { return [] }
    guard let function = declaration.as(FunctionDeclSyntax.self) else {
      let kind = declaration.is(InitializerDeclSyntax.self) ? "an initializer" : "an accessor"
      context.error("@Graph needs a function, and this is \(kind)", at: node)
      return Array(body.statements)
    }
    guard !refuses(function, in: context) else { return Array(body.statements) }
    return [CodeBlockItemSyntax(stringLiteral: expansion(of: function, in: context))]
  }

  /// The call of the runtime that becomes the body of `function`.
  private static func expansion(of declaration: FunctionDeclSyntax, in context: some MacroExpansionContext) -> String {
    // The compiler hands over `a + b > c` as a flat list.
    let function = OperatorTable.known.foldAll(declaration) { _ in }.cast(FunctionDeclSyntax.self)
    let body = function.body ?? CodeBlockSyntax(statements: [])
    let shape = FunctionShape(function, isMember: context.lexicalContext.first.flatMap(typeName) != nil)
    let names = FreshNames(avoiding: function.identifiers)
    var scope = Scope()
    for parameter in function.signature.parameterClause.parameters {
      scope.declare(parameter.name, Scope.Binding(kind: parameter.isInout ? .variable : .constant))
    }
    var items = Array(body.statements)
    if shape.result != nil, let value = items.onlyExpression, value.exits.isEmpty {
      let keyword = TokenSyntax.keyword(.return, trailingTrivia: .space)
      let statement = ReturnStmtSyntax(returnKeyword: keyword, expression: value.trimmed)
      items[0] = CodeBlockItemSyntax(item: .stmt(StmtSyntax(statement)))
    }
    let rewriter = BodyRewriter(shape, names: names)
    let places = rewriter.places(in: [body.statements.map { Syntax($0) }], scope)
    let text = rewriter.rewrite(items, scope.entering(), .function(shape))
    for remark in rewriter.remarks {
      // The folded tree has no source of its own; its tokens stand where those of the declaration do.
      let position = remark.node.positionAfterSkippingLeadingTrivia
      context.warning(remark.message, at: declaration.token(at: position).map { Syntax($0) } ?? Syntax(declaration))
    }
    let arguments = function.signature.parameterClause.parameters.filter(\.isArgument).map(\.name)
    let effects = shape.throwsClause.map { $0 + " " } ?? ""
    let owner = context.lexicalContext.first.flatMap(typeName).map { $0 + "." } ?? ""
    return """
      \(shape.result == nil ? "" : "return ")\(shape.throwsClause == nil ? "" : "try ")TFC.graph(\
      \((["\"\(owner)\(function.name.text.unescaped)\""] + arguments).joined(separator: ", ")), \
      state: \(RuntimeCall.state(places)), result: \(shape.resultVisits)) { \
      (\(arguments.joined(separator: ", "))) \(effects)\(shape.arrow) in
      \(text)
      }
      """
  }

  /// Reports what cannot be traced. Returns whether there was any.
  private static func refuses(_ function: FunctionDeclSyntax, in context: some MacroExpansionContext) -> Bool {
    let name = function.name.text
    if let async = function.signature.effectSpecifiers?.asyncSpecifier {
      context.error("@Graph needs a function that does not suspend, and '\(name)' is async", at: async)
      return true
    }
    if let clause = function.signature.effectSpecifiers?.throwsClause, clause.throwsSpecifier.text == "rethrows" {
      context.error("@Graph needs 'throws' where '\(name)' has 'rethrows'", at: clause)
      return true
    }
    return false
  }

  /// The name of the type whose declaration or extension `node` is.
  private static func typeName(_ node: Syntax) -> String? {
    if let declaration = node.as(ExtensionDeclSyntax.self) { return declaration.extendedType.trimmedDescription }
    guard !node.is(FunctionDeclSyntax.self) else { return nil }
    return node.asProtocol((any NamedDeclSyntax).self)?.name.text
  }
}

extension FunctionParameterSyntax {
  /// The name inside the function.
  fileprivate var name: String { (secondName ?? firstName).text }

  fileprivate var isInout: Bool { type.hasSpecifier("inout") }

  /// Whether the parameter is passed to the trace: it has a name and is a value. Functions are captured.
  fileprivate var isArgument: Bool {
    name != "_" && !isInout && !type.hasNode(.functionType, .packExpansionType, .metatypeType)
  }
}

extension TypeSyntax {
  fileprivate func hasSpecifier(_ name: String) -> Bool {
    self.as(AttributedTypeSyntax.self)?.specifiers.contains { $0.trimmedDescription == name } ?? false
  }
}
