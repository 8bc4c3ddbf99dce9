import SwiftSyntax

extension BodyRewriter {
  /// The call for an `if` or `guard` with `return` (in a loop: `break`, `continue`), nil where it stays.
  ///
  /// The statements after it move into the branches that reach them:
  ///
  ///     if c { return x }; rest          return graphResult(c, then: { return x }, else: { rest })
  func split(
    _ item: CodeBlockItemSyntax, before rest: [CodeBlockItemSyntax], _ scope: Scope, _ frame: Frame,
    then continuation: Continuation?
  ) -> String? {
    guard let choice = Choice(item, in: frame), canMove(item), rest.allSatisfy(canMove), !rest.stops,
      let condition = try? condition(choice.conditions, scope, frame),
      frame.value != .result || shape.canNameResult
    else { return nil }
    let pending = scope.pendingNames.union(scope.unsureNames)
    let touched = pending.intersection(
      item.identifiers.union(rest.identifiers).union(continuation?.identifiers ?? []))
    let assigned = Set(places(in: [[Syntax(item)]], scope).map(\.root))
    guard scope.unsureNames.isDisjoint(with: assigned) else { return nil }

    var following = scope
    noteInitialization(by: item, &following)
    guard !rest.isEmpty || choice.isGuard || continuation != nil else {
      return emit(choice, condition, touched, scope, frame, then: nil)
    }
    let next = join(rest, following, frame, continuation)
    if choice.isGuard { return emit(choice, condition, touched, scope, frame, then: next) }

    let count = choice.branches.map { copies(of: $0, frame) }.reduce(0, +)
    let mayInline = next.isShort || count <= 1
    if mayInline, next.identifiers.isDisjoint(with: choice.declaredNames) {
      return emit(choice, condition, touched, scope, frame, then: next)
    }
    guard following.unsureNames.isDisjoint(with: touched) else { return nil }
    let (function, jump) = function(of: next, touched, before: scope, after: following, frame)
    return function + emit(choice, condition, touched, scope, frame, then: jump)
  }

  /// A local function for what follows a split at more than one end, and the call of it.
  ///
  /// The names in `touched` that the split gives a value come as parameters; the others are declared again.
  private func function(
    of next: Continuation, _ touched: Set<String>, before: Scope, after: Scope, _ frame: Frame
  ) -> (text: String, call: Continuation) {
    let name = names.next("rest")
    let given = touched.filter { !after.isPending($0) && next.identifiers.contains($0) }.sorted()
    let parameters = given.compactMap(before.parameter)
    let open = touched.intersection(next.uses).filter(after.isPending).sorted().compactMap(before.declaration)
    let lines = parameters.map(\.line).joined() + open.map { $0 + "\n" }.joined()
    let call = RuntimeCall(shape: shape, frame: frame, throwsErrors: next.throwsErrors)
    let clause = next.throwsErrors ? call.errorClause ?? "throws" : ""
    let header = "func \(name)(\(parameters.map(\.parameter).joined(separator: ", "))) \(clause) \(call.branchType)"
    let jump = Continuation(
      text: "return \(call.prefix)\(name)(\(given.joined(separator: ", ")))", uses: Set(given),
      identifiers: Set(given + [name]), places: next.places, throwsErrors: next.throwsErrors, isShort: true)
    return ("\(header) {\n\(lines)\(next.text)\n}\n", jump)
  }

  /// Why an `if` or `guard` with exits was not split.
  func whyUnsplit(_ item: CodeBlockItemSyntax, _ frame: Frame) -> String {
    let branches = item.ifStatement.map { [Array($0.body.statements), $0.otherItems] } ?? [item.guardItems]
    let exits = item.exits
    let conditions = item.ifStatement?.conditions ?? item.item.as(GuardStmtSyntax.self)?.conditions ?? []
    for element in conditions where !element.isExpression {
      return "since the same condition list has '\(element.condition.trimmedDescription)'"
    }
    if branches.contains(where: \.stops) { return "since a branch throws or ends the program" }
    if exits.contains(.others) { return "since a branch leaves a switch or jumps to a label" }
    if frame.splittable.isEmpty { return "since a branch leaves a statement that is not rewritten" }
    return "since what follows cannot move into its branches"
  }

  /// The statements after a split and then what follows their list.
  private func join(
    _ rest: [CodeBlockItemSyntax], _ scope: Scope, _ frame: Frame, _ continuation: Continuation?
  ) -> Continuation {
    if rest.isEmpty, let continuation { return continuation }
    let (text, uses) = code(rest, scope, frame, then: continuation)
    return Continuation(
      text: text, uses: uses,
      identifiers: rest.identifiers.union(continuation?.identifiers ?? []),
      places: places(in: [rest.map { Syntax($0) }], scope) + (continuation?.places ?? []),
      throwsErrors: rest.contains(where: \.throwsErrors) || continuation?.throwsErrors ?? false)
  }

  private func emit(
    _ choice: Choice, _ condition: String, _ touched: Set<String>, _ scope: Scope, _ frame: Frame,
    then next: Continuation?
  ) -> String {
    let (name, line) = named(condition)
    let isThrowing = choice.branches.contains { $0.contains(where: \.throwsErrors) } || next?.throwsErrors ?? false
    let call = RuntimeCall(shape: shape, frame: frame, throwsErrors: isThrowing)
    let pieces = choice.branches.map { $0.map { Syntax($0) } }
    let places = (places(in: pieces, scope) + (next?.places ?? [])).filter { !touched.contains($0.root) }.uniqued
    var codes = choice.branches.map { code($0, scope, frame, then: next) }
    if choice.isGuard, let next { codes.insert((next.text, next.uses), at: 0) }
    // A closure may not assign what has no value outside it: it has its own.
    let texts = codes.map { code in
      let declarations = touched.intersection(code.uses).sorted().compactMap(scope.declaration)
      return (declarations + [code.text]).joined(separator: "\n")
    }
    let state = RuntimeCall.state(
      places.filter { !scope.endsWithBody($0) }, restored: places.filter(scope.endsWithBody))
    return line + call.branches(on: name, state: state, then: texts[0], else: texts[1])
  }

  /// How many ends of `list` would be followed by a continuation.
  private func copies(of list: [CodeBlockItemSyntax], _ frame: Frame) -> Int {
    for (index, item) in list.enumerated() {
      if item.alwaysExits { return 0 }
      guard let choice = Choice(item, in: frame) else { continue }
      let after = copies(of: Array(list[(index + 1)...]), frame)
      return choice.isGuard || choice.branches.contains { copies(of: $0, frame) > 0 } ? after : 0
    }
    return 1
  }
}

/// An `if` or `guard` on plain conditions whose branches end the closure around them.
private struct Choice {
  let conditions: ConditionElementListSyntax
  /// The statements of both branches; of a guard those of `else`.
  let branches: [[CodeBlockItemSyntax]]
  let isGuard: Bool
  let item: CodeBlockItemSyntax

  init?(_ item: CodeBlockItemSyntax, in frame: Frame) {
    if let node = item.ifStatement {
      conditions = node.conditions
      branches = [Array(node.body.statements), node.otherItems]
      isGuard = false
    } else if let node = item.item.as(GuardStmtSyntax.self) {
      conditions = node.conditions
      branches = [Array(node.body.statements)]
      isGuard = true
    } else {
      return nil
    }
    self.item = item
    let exits = item.exits
    let isPlain = conditions.allSatisfy { if case .expression = $0.condition { true } else { false } }
    let hasDefer = branches.contains { $0.contains { $0.item.is(DeferStmtSyntax.self) } }
    guard isPlain, !exits.isEmpty, frame.splittable.isSuperset(of: exits), !branches.contains(where: \.stops),
      !hasDefer
    else { return nil }
  }

  /// The names that the branches declare, outside closures.
  var declaredNames: Set<String> {
    let collector = DeclaredNames(viewMode: .sourceAccurate)
    collector.walk(item)
    return collector.names
  }
}

private final class DeclaredNames: SyntaxVisitor {
  var names: Set<String> = []

  override func visit(_ node: IdentifierPatternSyntax) -> SyntaxVisitorContinueKind {
    names.insert(node.identifier.text)
    return .visitChildren
  }

  override func visit(_ node: FunctionDeclSyntax) -> SyntaxVisitorContinueKind {
    names.insert(node.name.text)
    return .skipChildren
  }

  override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
}

extension CodeBlockItemSyntax {
  /// The statements of a guard's `else`.
  fileprivate var guardItems: [CodeBlockItemSyntax] {
    item.as(GuardStmtSyntax.self).map { Array($0.body.statements) } ?? []
  }
}

extension [CodeBlockItemSyntax] {
  /// Whether one of the items throws or ends the program.
  var stops: Bool { contains(where: \.stops) }

  var identifiers: Set<String> { reduce(into: []) { $0.formUnion($1.identifiers) } }

  /// The names of the local functions and types that the items declare.
  var declaredNames: Set<String> {
    Set(
      compactMap { item in
        guard case .decl(let declaration) = item.item else { return nil }
        return declaration.asProtocol((any NamedDeclSyntax).self)?.name.text
      })
  }
}

extension [Place] {
  fileprivate var uniqued: [Place] {
    var seen: Set<String> = []
    return filter { seen.insert($0.text).inserted }
  }
}
