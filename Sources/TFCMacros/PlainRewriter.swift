import SwiftParser
import SwiftSyntax
import SwiftSyntaxBuilder

/// Rewrites what is inside a statement that itself stays: nested lists, conditional expressions, and the exits of
/// a rewritten loop around it. Closures, local functions and local types stay as they are.
final class PlainRewriter: SyntaxRewriter {
  private let body: BodyRewriter
  private let scope: Scope
  private let frame: Frame
  private let root: Syntax

  init(_ body: BodyRewriter, _ scope: Scope, _ frame: Frame, root: Syntax) {
    self.body = body
    self.scope = scope
    self.frame = frame
    self.root = root
    super.init(viewMode: .sourceAccurate)
  }

  override func visit(_ node: CodeBlockItemListSyntax) -> CodeBlockItemListSyntax {
    let (scope, frame) = surroundings(of: Syntax(node))
    return list(body.rewrite(Array(node), scope, frame.unsplittable))
  }

  // MARK: - Expressions with branches

  override func visit(_ node: TernaryExprSyntax) -> ExprSyntax {
    let scope = surroundings(of: Syntax(node)).0
    let parts = [node.condition, node.thenExpression, node.elseExpression]
    let rewritten = parts.map { rewrite(Syntax($0)).cast(ExprSyntax.self) }
    let pending = scope.pendingNames.union(scope.unsureNames)
    let places = body.places(in: parts[1...].map { [Syntax($0)] }, scope)
    guard parts.allSatisfy({ !$0.hasTry && body.canMove($0) }), ExprSyntax(node).outermostOperation.hasKnownOperators,
      !node.condition.isSurelyBool, pending.isDisjoint(with: places.map(\.root))
    else {
      return ExprSyntax(
        node.with(\.condition, rewritten[0]).with(\.thenExpression, rewritten[1])
          .with(\.elseExpression, rewritten[2]))
    }
    let texts = rewritten.map(\.trimmedDescription)
    return choose(texts[0], texts[1], texts[2], places, in: ExprSyntax(node))
  }

  override func visit(_ node: IfExprSyntax) -> ExprSyntax {
    if node.isStatement { return ExprSyntax(statement(node)) }
    return value(node) ?? ExprSyntax(node)
  }

  override func visit(_ node: SwitchExprSyntax) -> ExprSyntax {
    ExprSyntax(node).isStatement ? super.visit(node) : ExprSyntax(node)
  }

  /// An `if` that stays a statement. An `else if` becomes `else { if }`, so that it may be rewritten.
  private func statement(_ node: IfExprSyntax) -> IfExprSyntax {
    guard case .ifExpr(let other) = node.elseBody, other.conditions.allSatisfy(\.isExpression) else {
      return super.visit(node).cast(IfExprSyntax.self)
    }
    let (scope, frame) = surroundings(of: Syntax(node))
    let text = body.rewrite(node.otherItems, scope, frame.unsplittable)
    var result = node
    result.conditions = rewrite(Syntax(node.conditions)).cast(ConditionElementListSyntax.self)
    result.body = rewrite(Syntax(node.body)).cast(CodeBlockSyntax.self)
    result.elseBody = .codeBlock(CodeBlockSyntax(statements: list("\n" + text + "\n")))
    return result
  }

  /// An `if` whose value is used: every branch is one expression. Nil where it stays.
  private func value(_ node: IfExprSyntax) -> ExprSyntax? {
    let (scope, frame) = surroundings(of: Syntax(node))
    guard let then = node.body.statements.onlyExpression, let otherNode = node.otherItems.onlyExpression,
      [then, otherNode].allSatisfy({ !$0.hasTry && body.canMove($0) }), !node.conditions.hasNode(.tryExpr),
      let condition = try? body.condition(node.conditions, scope, frame)
    else { return nil }
    let other = otherNode.as(IfExprSyntax.self).map(value) ?? rewrite(Syntax(otherNode)).cast(ExprSyntax.self)
    guard let other else { return nil }
    let first = rewrite(Syntax(then)).trimmedDescription
    let places = body.places(in: [[Syntax(then)], [Syntax(otherNode)]], scope)
    return choose(condition, first, other.trimmedDescription, places, in: ExprSyntax(node))
  }

  private func choose(
    _ condition: String, _ then: String, _ other: String, _ places: [Place], in node: ExprSyntax
  ) -> ExprSyntax {
    let text: String
    if places.isEmpty {
      text = "TFC.graphTernary(\(condition), \(then), \(other))"
    } else {
      let state = RuntimeCall.state(places)
      text = """
        TFC.graphResult(\(condition), state: \(state), result: { $0.visit(&$1, "value") }, \
        then: { \(then) }, else: { \(other) })
        """
    }
    return ExprSyntax(stringLiteral: text).with(\.leadingTrivia, node.leadingTrivia)
      .with(\.trailingTrivia, node.trailingTrivia)
  }

  // MARK: - Errors

  /// The function's own error type stands in for the one that Swift would infer for `error` outside a closure.
  override func visit(_ node: DoStmtSyntax) -> StmtSyntax {
    guard node.needsErrorType, let text = clause(of: node),
      let clause = StmtSyntax(stringLiteral: "do \(text) {}").as(DoStmtSyntax.self)?.throwsClause,
      let rewritten = super.visit(node).as(DoStmtSyntax.self)
    else { return super.visit(node) }
    return StmtSyntax(rewritten.with(\.throwsClause, clause.with(\.trailingTrivia, .space)))
  }

  /// `throws(E)`, where the errors of a `do` with `catch` have a type of their own.
  private func clause(of node: DoStmtSyntax) -> String? {
    node.throwsClause?.trimmedDescription ?? (node.needsErrorType ? body.shape.typedThrows : nil)
  }

  // MARK: - Exits of a rewritten loop

  override func visit(_ node: BreakStmtSyntax) -> StmtSyntax {
    jump(StmtSyntax(node), surroundings(of: Syntax(node)).1.breaks)
  }

  override func visit(_ node: ContinueStmtSyntax) -> StmtSyntax {
    jump(StmtSyntax(node), surroundings(of: Syntax(node)).1.continues)
  }

  private func jump(_ node: StmtSyntax, _ text: String?) -> StmtSyntax {
    guard let text else { return node }
    return StmtSyntax(stringLiteral: text).with(\.leadingTrivia, node.leadingTrivia)
      .with(\.trailingTrivia, node.trailingTrivia)
  }

  // MARK: - What stays

  override func visit(_ node: ClosureExprSyntax) -> ExprSyntax { ExprSyntax(node) }
  override func visit(_ node: MacroExpansionExprSyntax) -> ExprSyntax { ExprSyntax(node) }
  override func visit(_ node: StringLiteralExprSyntax) -> ExprSyntax { ExprSyntax(node) }
  override func visit(_ node: AwaitExprSyntax) -> ExprSyntax { ExprSyntax(node) }
  override func visit(_ node: TryExprSyntax) -> ExprSyntax { super.visit(node) }
  override func visit(_ node: FunctionDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
  override func visit(_ node: StructDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
  override func visit(_ node: ClassDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
  override func visit(_ node: EnumDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
  override func visit(_ node: IfConfigDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
  override func visit(_ node: AccessorBlockSyntax) -> AccessorBlockSyntax { node }
  override func visit(_ node: DeferStmtSyntax) -> StmtSyntax { StmtSyntax(node) }

  // MARK: - Where a node stands

  /// The names and exits at `node`, which is `root` or inside it.
  private func surroundings(of node: Syntax) -> (Scope, Frame) {
    var steps: [(child: Syntax, parent: Syntax)] = []
    var child = node
    while child.id != root.id, let parent = child.parent {
      steps.append((child, parent))
      child = parent
    }
    var (scope, frame) = (scope, frame)
    for step in steps.reversed() { enter(step.parent, through: step.child, &scope, &frame) }
    return (scope, frame)
  }

  private func enter(_ parent: Syntax, through child: Syntax, _ scope: inout Scope, _ frame: inout Frame) {
    if let node = parent.as(IfExprSyntax.self), child.id == node.body.id {
      for (pattern, kind) in node.conditions.boundPatterns { scope.declare(pattern, kind) }
    } else if let node = parent.as(WhileStmtSyntax.self), child.id == node.body.id {
      for (pattern, kind) in node.conditions.boundPatterns { scope.declare(pattern, kind) }
      (frame.breaks, frame.continues) = (nil, nil)
    } else if let node = parent.as(RepeatStmtSyntax.self), child.id == node.body.id {
      (frame.breaks, frame.continues) = (nil, nil)
    } else if let node = parent.as(ForStmtSyntax.self), child.id == node.body.id {
      scope.declare(node.pattern, node.pattern.trimmedDescription.hasPrefix("var ") ? .variable : .constant)
      (frame.breaks, frame.continues) = (nil, nil)
    } else if let node = parent.as(SwitchCaseSyntax.self), child.id == node.statements.id {
      for name in node.boundNames { scope.declare(name, Scope.Binding(kind: .constant)) }
      frame.breaks = nil
    } else if let node = parent.as(CatchClauseSyntax.self), child.id == node.body.id {
      scope.declare("error", Scope.Binding(kind: .constant))
      for pattern in node.catchItems.compactMap(\.pattern) { scope.declare(pattern, .constant) }
    } else if let node = parent.as(DoStmtSyntax.self), child.id == node.body.id, !node.catchClauses.isEmpty {
      frame.errors = clause(of: node).map { .clause($0) } ?? .any
    }
  }

  private func list(_ text: String) -> CodeBlockItemListSyntax {
    Parser.parse(source: "\n" + text + "\n").statements
  }
}

extension ExprSyntax {
  /// Whether a `try` applies inside the expression or to all of it.
  fileprivate var hasTry: Bool {
    if hasNode(.tryExpr) { return true }
    var node = parent
    while let current = node, !current.is(CodeBlockItemSyntax.self), !current.is(ClosureExprSyntax.self) {
      if current.is(TryExprSyntax.self) { return true }
      node = current.parent
    }
    return false
  }

  /// Whether the `if` or `switch` is a statement: nothing uses its value.
  fileprivate var isStatement: Bool {
    guard let parent else { return true }
    return parent.is(CodeBlockItemSyntax.self) || parent.is(ExpressionStmtSyntax.self)
  }
}

extension IfExprSyntax {
  /// Whether the `if` is a statement, or an `else if` of one.
  fileprivate var isStatement: Bool {
    if let outer = parent?.as(IfExprSyntax.self) { return outer.isStatement }
    return ExprSyntax(self).isStatement
  }
}

extension ConditionElementSyntax {
  /// Whether the element is a plain expression: it binds no name and asks for no platform.
  var isExpression: Bool { if case .expression = condition { true } else { false } }
}

extension SwitchCaseSyntax {
  /// The names that the case's patterns bind.
  fileprivate var boundNames: [String] {
    guard case .case(let label) = label else { return [] }
    return label.caseItems.flatMap(\.pattern.boundNames)
  }
}

extension Collection where Element == CodeBlockItemSyntax {
  /// The expression that is the only item.
  var onlyExpression: ExprSyntax? { count == 1 ? first?.expression : nil }
}
