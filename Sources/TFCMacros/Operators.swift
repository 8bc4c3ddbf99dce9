import SwiftOperators
import SwiftParser
import SwiftSyntax

extension OperatorTable {
  /// The operators of the standard library, those of SIMD values included.
  static let known: OperatorTable = {
    let source = """
      infix operator .==: ComparisonPrecedence
      infix operator .!=: ComparisonPrecedence
      infix operator .<: ComparisonPrecedence
      infix operator .<=: ComparisonPrecedence
      infix operator .>: ComparisonPrecedence
      infix operator .>=: ComparisonPrecedence
      infix operator .&: LogicalConjunctionPrecedence
      infix operator .|: LogicalDisjunctionPrecedence
      infix operator .^: LogicalDisjunctionPrecedence
      infix operator .&=: AssignmentPrecedence
      infix operator .|=: AssignmentPrecedence
      infix operator .^=: AssignmentPrecedence
      """
    var table = OperatorTable.standardOperators
    table.addSourceFile(Parser.parse(source: source)) { _ in }
    return table
  }()
}

extension ExprSyntax {
  /// Whether the expression is an infix operator that assigns its left side: `=`, `+=`, `.&=`.
  var isAssignmentOperator: Bool {
    if self.is(AssignmentExprSyntax.self) { return true }
    guard let text = self.as(BinaryOperatorExprSyntax.self)?.operator.text, text.hasSuffix("=") else { return false }
    return !comparisons.contains(text)
  }

  /// The operands and operators of `a op b op c`, folded or not.
  ///
  /// Each assigned operand comes with the operator after it.
  var assignedOperands: [ExprSyntax] {
    if let infix = self.as(InfixOperatorExprSyntax.self) {
      return infix.operator.isAssignmentOperator ? [infix.leftOperand] : []
    }
    guard let elements = self.as(SequenceExprSyntax.self)?.elements else { return [] }
    return zip(elements, elements.dropFirst()).filter { $1.isAssignmentOperator }.map(\.0)
  }

  /// The whole chain of operators that the expression is an operand of.
  var outermostOperation: ExprSyntax {
    guard let outer = parent?.as(ExprSyntax.self) else { return self }
    let isOperation = outer.is(InfixOperatorExprSyntax.self) || outer.is(TernaryExprSyntax.self)
    return isOperation || outer.is(SequenceExprSyntax.self) ? outer.outermostOperation : self
  }

  /// Whether every operator in the expression is known, so that the tree shows how Swift groups it.
  var hasKnownOperators: Bool {
    let finder = UnknownOperatorFinder(viewMode: .sourceAccurate)
    finder.walk(self)
    return !finder.found
  }
}

/// The operators that end with `=` and assign nothing.
private let comparisons: Set<String> = [
  "==", "!=", "<=", ">=", "===", "!==", "~=", ".==", ".!=", ".<=", ".>=",
]

private final class UnknownOperatorFinder: SyntaxVisitor {
  var found = false

  override func visit(_ node: BinaryOperatorExprSyntax) -> SyntaxVisitorContinueKind {
    if OperatorTable.known.infixOperator(named: node.operator.text) == nil { found = true }
    return .skipChildren
  }

  override func visit(_ node: SequenceExprSyntax) -> SyntaxVisitorContinueKind {
    found = true
    return .skipChildren
  }

  override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
}
