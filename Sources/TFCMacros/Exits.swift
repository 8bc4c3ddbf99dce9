import SwiftSyntax

/// The ways in which control leaves a piece of code other than at its end.
struct Exits: OptionSet {
  let rawValue: Int

  /// `return` from the function.
  static let returns = Exits(rawValue: 1)
  /// `break` out of a loop around the piece.
  static let breaks = Exits(rawValue: 2)
  /// `continue` of a loop around the piece.
  static let continues = Exits(rawValue: 4)
  /// Everything else: `break` out of a switch, `fallthrough`, a jump to a label.
  static let others = Exits(rawValue: 8)
}

extension SyntaxProtocol {
  /// How control leaves this piece of code; closures and local functions keep their exits.
  var exits: Exits {
    let finder = ExitFinder(viewMode: .sourceAccurate)
    finder.walk(self)
    return finder.exits
  }
}

private final class ExitFinder: BodyVisitor {
  var exits: Exits = []
  /// The loops and switches around the visited node, inside the piece.
  private var targets: [Target] = []
  private enum Target { case loop, selection }

  override func visit(_ node: ReturnStmtSyntax) -> SyntaxVisitorContinueKind {
    exits.insert(.returns)
    return .visitChildren
  }

  override func visit(_ node: BreakStmtSyntax) -> SyntaxVisitorContinueKind {
    if node.label != nil { exits.insert(.others) } else if targets.isEmpty { exits.insert(.breaks) }
    return .skipChildren
  }

  override func visit(_ node: ContinueStmtSyntax) -> SyntaxVisitorContinueKind {
    if node.label != nil {
      exits.insert(.others)
    } else if !targets.contains(.loop) {
      exits.insert(.continues)
    }
    return .skipChildren
  }

  override func visit(_ node: FallThroughStmtSyntax) -> SyntaxVisitorContinueKind {
    if !targets.contains(.selection) { exits.insert(.others) }
    return .skipChildren
  }

  override func visit(_ node: WhileStmtSyntax) -> SyntaxVisitorContinueKind { open(.loop) }
  override func visitPost(_ node: WhileStmtSyntax) { targets.removeLast() }
  override func visit(_ node: RepeatStmtSyntax) -> SyntaxVisitorContinueKind { open(.loop) }
  override func visitPost(_ node: RepeatStmtSyntax) { targets.removeLast() }
  override func visit(_ node: ForStmtSyntax) -> SyntaxVisitorContinueKind { open(.loop) }
  override func visitPost(_ node: ForStmtSyntax) { targets.removeLast() }
  override func visit(_ node: SwitchExprSyntax) -> SyntaxVisitorContinueKind { open(.selection) }
  override func visitPost(_ node: SwitchExprSyntax) { targets.removeLast() }

  private func open(_ target: Target) -> SyntaxVisitorContinueKind {
    targets.append(target)
    return .visitChildren
  }
}

extension CodeBlockItemSyntax {
  /// The `if` that this item is, as a statement.
  var ifStatement: IfExprSyntax? { expression?.as(IfExprSyntax.self) }

  /// The expression that this item is.
  var expression: ExprSyntax? {
    switch item {
    case .expr(let expression): expression
    case .stmt(let statement): statement.as(ExpressionStmtSyntax.self)?.expression
    case .decl: nil
    }
  }

  /// Whether control never reaches the end of this item, for sure.
  var alwaysExits: Bool {
    if case .stmt(let statement) = item {
      if statement.is(ReturnStmtSyntax.self) || statement.isJump { return true }
      if let block = statement.as(DoStmtSyntax.self) {
        return block.body.statements.alwaysExit && block.catchClauses.allSatisfy(\.body.statements.alwaysExit)
      }
    }
    if stops { return true }
    if let branches = ifStatement { return branches.allBranches?.allSatisfy(\.alwaysExit) ?? false }
    guard let cases = expression?.as(SwitchExprSyntax.self)?.cases else { return false }
    return cases.allSatisfy { $0.as(SwitchCaseSyntax.self)?.statements.exitsSwitch ?? false }
  }

  /// Whether the item ends the program or throws: a trace would do so whatever the condition.
  var stops: Bool {
    if item.is(ThrowStmtSyntax.self) { return true }
    guard let call = expression?.as(FunctionCallExprSyntax.self),
      let name = call.calledExpression.as(DeclReferenceExprSyntax.self)?.baseName.text
    else { return false }
    return name == "fatalError" || name == "preconditionFailure"
  }
}

extension StmtSyntax {
  fileprivate var isJump: Bool {
    self.is(BreakStmtSyntax.self) || self.is(ContinueStmtSyntax.self) || self.is(FallThroughStmtSyntax.self)
  }
}

extension CodeBlockItemListSyntax {
  /// Whether control never reaches the end of the list, for sure.
  var alwaysExit: Bool { contains(where: \.alwaysExits) }

  /// As `alwaysExit`, for a case: a `break` in it ends only the switch.
  fileprivate var exitsSwitch: Bool { alwaysExit && exits.isDisjoint(with: [.breaks, .others]) }

  /// Whether one of the list's own items throws or ends the program.
  var stops: Bool { contains(where: \.stops) }
}

extension IfExprSyntax {
  /// The lists of all branches, nil when there is no last `else`.
  var allBranches: [CodeBlockItemListSyntax]? {
    switch elseBody {
    case nil: nil
    case .codeBlock(let block): [body.statements, block.statements]
    case .ifExpr(let other): other.allBranches.map { [body.statements] + $0 }
    }
  }
}
