import SwiftSyntax

extension SyntaxProtocol {
  /// Whether an error may leave this piece of code, by the rule that Swift infers it for a closure.
  var throwsErrors: Bool {
    let finder = ThrowFinder(viewMode: .sourceAccurate)
    finder.walk(self)
    return finder.found
  }

  /// Whether the piece has a node of one of the given kinds outside closures and local functions.
  func hasNode(_ kinds: SyntaxKind...) -> Bool {
    let finder = KindFinder(kinds: Set(kinds))
    finder.walk(self)
    return finder.found
  }

  /// The names that occur in the piece.
  var identifiers: Set<String> { Set(tokens(viewMode: .sourceAccurate).map(\.text)) }
}

private final class ThrowFinder: BodyVisitor {
  var found = false

  override func visit(_ node: TryExprSyntax) -> SyntaxVisitorContinueKind {
    if node.questionOrExclamationMark != nil { return .skipChildren }
    found = true
    return .skipChildren
  }

  override func visit(_ node: ThrowStmtSyntax) -> SyntaxVisitorContinueKind {
    found = true
    return .skipChildren
  }

  override func visit(_ node: DoStmtSyntax) -> SyntaxVisitorContinueKind {
    guard node.catchClauses.contains(where: \.catchesAll) else { return .visitChildren }
    walk(node.catchClauses)
    return .skipChildren
  }
}

extension CatchClauseSyntax {
  /// Whether every error ends in this clause: `catch`, `catch let name`.
  fileprivate var catchesAll: Bool {
    catchItems.allSatisfy { item in
      guard item.whereClause == nil else { return false }
      guard let pattern = item.pattern else { return true }
      return pattern.as(ValueBindingPatternSyntax.self)?.pattern.is(IdentifierPatternSyntax.self) ?? false
    }
  }
}

extension DoStmtSyntax {
  /// Whether a `catch` without pattern needs the type of `error`: it uses a member, or throws it on.
  ///
  /// Swift infers that type in a function, but not in a closure.
  var needsErrorType: Bool {
    let finder = ErrorUseFinder(viewMode: .sourceAccurate)
    for clause in catchClauses where clause.catchItems.isEmpty { finder.walk(clause.body) }
    return throwsClause == nil && finder.found
  }
}

private final class ErrorUseFinder: SyntaxVisitor {
  var found = false

  override func visit(_ node: DeclReferenceExprSyntax) -> SyntaxVisitorContinueKind {
    guard node.baseName.text == "error", let parent = node.parent else { return .skipChildren }
    let member = parent.as(MemberAccessExprSyntax.self)?.declName.baseName.text
    if parent.is(ThrowStmtSyntax.self) || member != nil && member != "localizedDescription" { found = true }
    return .skipChildren
  }
}

private final class KindFinder: SyntaxAnyVisitor {
  let kinds: Set<SyntaxKind>
  var found = false

  init(kinds: Set<SyntaxKind>) {
    self.kinds = kinds
    super.init(viewMode: .sourceAccurate)
  }

  override func visitAny(_ node: Syntax) -> SyntaxVisitorContinueKind {
    if kinds.contains(node.kind) { found = true }
    return found || node.is(ClosureExprSyntax.self) || node.is(FunctionDeclSyntax.self) ? .skipChildren : .visitChildren
  }
}
