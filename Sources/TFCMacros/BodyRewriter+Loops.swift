import SwiftOperators
import SwiftParser
import SwiftSyntax

extension BodyRewriter {
  /// The call for a `while`.
  func call(for loop: WhileStmtSyntax, _ scope: Scope, _ frame: Frame) throws(Stays) -> String {
    let condition = try condition(loop.conditions, scope, frame)
    let isThrowing = loop.conditions.throwsErrors || loop.body.throwsErrors
    let items = Array(loop.body.statements)
    let parts = try parts(of: items, with: [Syntax(loop.conditions)], isThrowing, scope, frame)
    let test = parts.call.closure(condition)
    return "\(parts.call.prefix)TFC.graphWhile(state: \(parts.state), while: \(test), \(parts.body))"
  }

  /// The call for a `repeat`.
  func call(for loop: RepeatStmtSyntax, _ scope: Scope, _ frame: Frame) throws(Stays) -> String {
    try requireMovable(loop.condition)
    let isThrowing = loop.condition.throwsErrors || loop.body.throwsErrors
    let items = Array(loop.body.statements)
    let parts = try parts(of: items, with: [Syntax(loop.condition)], isThrowing, scope, frame)
    let test = parts.call.closure(plain(loop.condition, scope, frame))
    return "\(parts.call.prefix)TFC.graphRepeat(state: \(parts.state), \(parts.body), while: \(test))"
  }

  /// The call for a `for`, nil when it stays: `for try await`, `for case`, a pattern with `var` inside.
  func call(for loop: ForStmtSyntax, _ scope: Scope, _ frame: Frame) throws(Stays) -> String? {
    guard loop.tryKeyword == nil, loop.awaitKeyword == nil, loop.caseKeyword == nil, canMove(loop.sequence),
      let element = Element(loop, names)
    else { return nil }
    var items = Array(loop.body.statements)
    if let condition = loop.whereClause?.condition {
      let text = "guard \(condition.trimmedDescription) else { continue }"
      let parsed = OperatorTable.known.foldAll(Parser.parse(source: text)) { _ in }
      items = Array(parsed.cast(SourceFileSyntax.self).statements) + items
    }
    let isThrowing = loop.body.throwsErrors || loop.whereClause?.throwsErrors ?? false
    let parts = try parts(of: items, isThrowing, element: element, scope, frame)
    let sequence = plain(loop.sequence, scope, frame)
    let name = names.next("sequence")
    let call = parts.call
    return "let \(name) = \(sequence)\n\(call.prefix)TFC.graphFor(\(name), state: \(parts.state), \(parts.body))"
  }

  private typealias Parts = (call: RuntimeCall, state: String, body: String)

  /// What the calls of all loops share.
  private func parts(
    of items: [CodeBlockItemSyntax], with condition: [Syntax] = [], _ isThrowing: Bool, element: Element? = nil,
    _ scope: Scope, _ frame: Frame
  ) throws(Stays) -> Parts {
    let exits = items.reduce(Exits()) { $0.union($1.exits) }
    if exits.contains(.returns) { throw Stays("since its loop returns") }
    if exits.contains(.others) { throw Stays("since its loop jumps to a label") }
    if items.stops { throw Stays("since its loop throws or ends the program") }
    for item in items { try requireMovable(item) }
    var inside = scope.entering()
    if let element { inside.declare(element.pattern, element.kind) }
    let nodes = items.map { Syntax($0) }
    let mentioned = (nodes + condition).reduce(into: Set<String>()) { $0.formUnion($1.identifiers) }
    let places = places(in: [condition, nodes], inside)
    let unset = inside.pendingNames.intersection(mentioned).union(
      scope.unsureNames.intersection(places.map(\.root)))
    if let name = unset.min() { throw Stays("since '\(name)' has no value before its loop") }

    let leavesEarly = exits.contains(.breaks)
    let body = Frame.loop(leavesEarly: leavesEarly, errors: frame.errors)
    let call = RuntimeCall(shape: shape, frame: body, throwsErrors: isThrowing)
    let next = Continuation(
      text: "return .next", identifiers: [], places: [], throwsErrors: false, isShort: true)
    let text = rewrite(items, inside, body, then: leavesEarly ? next : nil)
    let closure = call.closure(
      (element?.line ?? "") + text, taking: element?.parameter ?? "", returns: call.branchType)
    let bound = element?.pattern.boundNames ?? []
    let state = RuntimeCall.state(places.filter { !bound.contains($0.root) })
    return (call, state, "\(leavesEarly ? "step" : "do"): \(closure)")
  }
}

/// How the element of a `for` comes into the closure.
private struct Element {
  let pattern: PatternSyntax
  let kind: Scope.Kind
  /// The closure's parameter.
  let parameter: String
  /// The line that binds the pattern, where the parameter alone does not.
  let line: String

  init?(_ loop: ForStmtSyntax, _ names: FreshNames) {
    let type = loop.typeAnnotation.map { ": \($0.type.trimmedDescription)" } ?? ""
    if loop.pattern.is(IdentifierPatternSyntax.self) || loop.pattern.is(WildcardPatternSyntax.self) {
      (pattern, kind, line) = (loop.pattern, .constant, "")
      parameter = "(\(loop.pattern.trimmedDescription)\(type))"
      return
    }
    let isVar = loop.pattern.as(ValueBindingPatternSyntax.self)?.bindingSpecifier.tokenKind == .keyword(.var)
    let bound = loop.pattern.as(ValueBindingPatternSyntax.self)?.pattern ?? loop.pattern
    guard !bound.hasNode(.valueBindingPattern, .expressionPattern) else { return nil }
    let name = names.next("element")
    (pattern, kind) = (bound, isVar ? .variable : .constant)
    parameter = "(\(name)\(type))"
    line = "\(isVar ? "var" : "let") \(bound.trimmedDescription) = \(name)\n"
  }
}
