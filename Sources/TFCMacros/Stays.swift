import SwiftSyntax

/// Why a statement stays as Swift runs it, so that its condition must be a Bool: `since its loop returns`.
struct Stays: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// A remark about a condition that looks like a tensor's where only a Bool is possible.
struct Remark {
  let node: Syntax
  let message: String
}

extension BodyRewriter {
  /// Notes that `statement` stays, if one of `conditions` compares elements.
  ///
  /// The macro sees no types. Swift reports the tensor itself; this says why the statement could not be rewritten.
  func remark(on conditions: [ExprSyntax], _ stays: Stays) {
    for condition in conditions where condition.comparesElements && condition.root.is(FunctionDeclSyntax.self) {
      let message = "'\(condition.trimmedDescription)' must be a Bool here, \(stays.reason)"
      remarks.append(Remark(node: Syntax(condition), message: message))
    }
  }

  /// The conditions of a statement that may be rewritten.
  static func conditions(of item: CodeBlockItemSyntax) -> [ExprSyntax] {
    if let node = item.ifStatement { return node.conditions.expressions }
    guard case .stmt(let statement) = item.item else { return [] }
    if let node = statement.as(GuardStmtSyntax.self) { return node.conditions.expressions }
    if let node = statement.as(WhileStmtSyntax.self) { return node.conditions.expressions }
    if let node = statement.as(RepeatStmtSyntax.self) { return [node.condition] }
    return []
  }
}

extension ConditionElementListSyntax {
  /// The elements that are plain expressions.
  var expressions: [ExprSyntax] {
    compactMap { if case .expression(let expression) = $0.condition { expression } else { nil } }
  }
}

extension ExprSyntax {
  /// Whether the expression has an elementwise comparison, outside closures: `x .> y`.
  fileprivate var comparesElements: Bool {
    let finder = ElementwiseFinder(viewMode: .sourceAccurate)
    finder.walk(self)
    return finder.found
  }

  /// Whether the expression is a Bool whatever the types: `x == nil`, `x is T`, `true`, `xs.isEmpty`.
  var isSurelyBool: Bool {
    if self.is(BooleanLiteralExprSyntax.self) || self.is(IsExprSyntax.self) { return true }
    if let prefix = self.as(PrefixOperatorExprSyntax.self) {
      return prefix.operator.text == "!" && prefix.expression.isSurelyBool
    }
    if let tuple = self.as(TupleExprSyntax.self), tuple.elements.count == 1 {
      return tuple.elements.first?.expression.isSurelyBool ?? false
    }
    guard let infix = self.as(InfixOperatorExprSyntax.self) else {
      return self.as(MemberAccessExprSyntax.self)?.declName.baseName.text == "isEmpty"
    }
    let (left, right) = (infix.leftOperand, infix.rightOperand)
    switch infix.operator.trimmedDescription {
    case "==", "!=": return left.is(NilLiteralExprSyntax.self) || right.is(NilLiteralExprSyntax.self)
    case "===", "!==": return true
    case "&&", "||": return left.isSurelyBool && right.isSurelyBool
    default: return false
    }
  }
}

private final class ElementwiseFinder: SyntaxVisitor {
  var found = false

  override func visit(_ node: BinaryOperatorExprSyntax) -> SyntaxVisitorContinueKind {
    if [".>", ".<", ".>=", ".<=", ".==", ".!="].contains(node.operator.text) { found = true }
    return .skipChildren
  }

  override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
  override func visit(_ node: FunctionCallExprSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
}
