import SwiftSyntax
import SwiftSyntaxBuilder

/// Rewrites the control flow of a function's body into calls of the runtime.
///
/// The rewritten branches and bodies are closures that assign the same variables as the source, so that a Bool
/// condition runs exactly the source's code. Each call also gets `state`, a closure that visits the places its
/// branches assign: with that a traced condition runs both branches and merges what they leave.
/// What cannot be moved into a closure stays as it is; there Swift itself asks for a Bool.
final class BodyRewriter {
  let shape: FunctionShape
  let names: FreshNames
  var remarks: [Remark] = []

  init(_ shape: FunctionShape, names: FreshNames) {
    self.shape = shape
    self.names = names
  }

  /// The text of a list of statements, followed by `continuation` where control reaches its end.
  func rewrite(
    _ items: [CodeBlockItemSyntax], _ scope: Scope, _ frame: Frame, then continuation: Continuation? = nil
  ) -> String {
    code(items, scope, frame, then: continuation).text
  }

  /// As `rewrite`, with the names that the text uses outside the closures of a split in it.
  func code(
    _ items: [CodeBlockItemSyntax], _ scope: Scope, _ frame: Frame, then continuation: Continuation? = nil
  ) -> (text: String, uses: Set<String>) {
    var scope = scope
    var lines: [String] = []
    var uses: Set<String> = []
    var unset: [(line: Int, names: Set<String>)] = []
    for (index, item) in items.enumerated() {
      let rest = Array(items[(index + 1)...])
      declareFunctions(of: items, &scope)
      // A local function may be used before its declaration, but not from outside the closure it would move into.
      let mayMove = rest.declaredNames.isDisjoint(with: Array(items[...index]).identifiers)
      if mayMove, let split = split(item, before: rest, scope, frame, then: continuation) {
        // What has no value yet is declared again in the branches.
        for (line, names) in unset where names.isDisjoint(with: uses) { lines[line] = "" }
        return ((lines + [split]).joined(separator: "\n"), uses)
      }
      lines.append(rewrite(item, &scope, frame))
      if let names = item.item.as(VariableDeclSyntax.self)?.names, names.allSatisfy({ scope.isPending($0) }) {
        unset.append((index, names))
      } else {
        uses.formUnion(item.identifiers)
      }
      if item.alwaysExits {
        return ((lines + rest.map(\.description)).joined(separator: "\n"), uses)
      }
    }
    if let continuation { lines.append(continuation.text) }
    return (lines.joined(separator: "\n"), uses.union(continuation?.uses ?? []))
  }

  /// The text of one statement that control leaves at its end or not at all, and the names it declares.
  private func rewrite(_ item: CodeBlockItemSyntax, _ scope: inout Scope, _ frame: Frame) -> String {
    let text: String
    do throws(Stays) {
      text = try call(for: item, scope, frame) ?? plain(item, scope, frame)
    } catch {
      remark(on: Self.conditions(of: item), error)
      text = plain(item, scope, frame)
    }
    if let variable = item.item.as(VariableDeclSyntax.self) {
      let before = scope
      scope.declare(variable) { value in places(in: [value.closuresAndAccessors], before) }
    } else if let guarded = item.item.as(GuardStmtSyntax.self) {
      for (pattern, kind) in guarded.conditions.boundPatterns { scope.declare(pattern, kind) }
    }
    if item.item.is(DeferStmtSyntax.self) { scope.defersUse(of: item.identifiers) }
    noteInitialization(by: item, &scope)
    return text
  }

  /// The call that replaces a statement, nil for one that is no branch and no loop.
  private func call(
    for item: CodeBlockItemSyntax, _ scope: Scope, _ frame: Frame
  ) throws(Stays) -> String? {
    if let statement = item.ifStatement { return try call(for: statement, scope, frame) }
    guard case .stmt(let statement) = item.item else { return nil }
    if let loop = statement.as(WhileStmtSyntax.self) { return try call(for: loop, scope, frame) }
    if let loop = statement.as(RepeatStmtSyntax.self) { return try call(for: loop, scope, frame) }
    if let loop = statement.as(ForStmtSyntax.self) { return try call(for: loop, scope, frame) }
    if let choice = statement.as(GuardStmtSyntax.self), choice.conditions.expressions.count == choice.conditions.count {
      throw Stays(whyUnsplit(item, frame))
    }
    return nil
  }

  /// The item with only its nested statements and expressions rewritten.
  func plain(_ item: CodeBlockItemSyntax, _ scope: Scope, _ frame: Frame) -> String {
    PlainRewriter(self, scope, frame, root: Syntax(item)).rewrite(Syntax(item)).description
  }

  /// The expression with the conditional expressions in it rewritten.
  func plain(_ expression: ExprSyntax, _ scope: Scope, _ frame: Frame) -> String {
    PlainRewriter(self, scope, frame, root: Syntax(expression)).rewrite(Syntax(expression)).trimmedDescription
  }

  // MARK: - Facts

  /// Declares the local functions of a list with what they assign, as far as that is declared yet.
  private func declareFunctions(of items: [CodeBlockItemSyntax], _ scope: inout Scope) {
    let functions = items.compactMap { $0.item.as(FunctionDeclSyntax.self) }
    for _ in functions {  // one may call the next
      for function in functions {
        let writes = places(in: [[Syntax(function)]], scope)
        scope.declare(function.name.text, Scope.Binding(kind: .constant, writes: writes))
      }
    }
  }

  /// The places that `pieces` assign and that outlive them.
  func places(in pieces: [[Syntax]], _ scope: Scope) -> [Place] {
    WriteCollector(scope: scope, in: shape).places(in: pieces)
  }

  /// Notes which pending names have a value after `item`.
  func noteInitialization(by item: CodeBlockItemSyntax, _ scope: inout Scope) {
    let candidates = scope.pendingNames.union(scope.unsureNames)
    guard !candidates.isEmpty, !candidates.isDisjoint(with: item.identifiers) else { return }
    let assigned = Set(places(in: [[Syntax(item)]], scope).map(\.root))
    for name in candidates.intersection(assigned) {
      scope.initialize(name, item.initializes(name) ? .done : .unsure)
    }
  }

  /// Whether a closure may hold `node`: `await` and `consume` may not move into one.
  func canMove(_ node: some SyntaxProtocol) -> Bool { !node.hasNode(.awaitExpr, .consumeExpr) }

  /// Throws where a closure may not hold `node`.
  func requireMovable(_ node: some SyntaxProtocol) throws(Stays) {
    if !canMove(node) { throw Stays("since 'await' and 'consume' cannot move into a closure") }
  }
}

extension VariableDeclSyntax {
  fileprivate var names: Set<String> { Set(bindings.flatMap(\.pattern.boundNames)) }
}

extension Syntax {
  /// The closures in an initial value, or the accessors that this is.
  fileprivate var closuresAndAccessors: [Syntax] {
    if self.is(AccessorBlockSyntax.self) { return [self] }
    let collector = ClosureCollector(viewMode: .sourceAccurate)
    collector.walk(self)
    return collector.closures
  }
}

private final class ClosureCollector: SyntaxVisitor {
  var closures: [Syntax] = []

  override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind {
    closures.append(Syntax(node))
    return .skipChildren
  }
}

extension ConditionElementListSyntax {
  /// The patterns that `if let`, `guard case` bind, and how.
  var boundPatterns: [(pattern: PatternSyntax, kind: Scope.Kind)] {
    compactMap { element in
      switch element.condition {
      case .optionalBinding(let binding):
        (binding.pattern, binding.bindingSpecifier.tokenKind == .keyword(.var) ? .variable : .constant)
      case .matchingPattern(let match):
        (match.pattern, match.pattern.trimmedDescription.hasPrefix("var ") ? .variable : .constant)
      default: nil
      }
    }
  }
}
