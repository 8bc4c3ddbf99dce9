import SwiftOperators
import SwiftSyntax

extension BodyRewriter {
  /// A condition list as one expression. It stays where it binds names, asks for a platform or cannot be moved.
  func condition(
    _ list: ConditionElementListSyntax, _ scope: Scope, _ frame: Frame
  ) throws(Stays) -> String {
    // `&&` throws any error, the list those of its elements.
    if list.count > 1, list.throwsErrors { throw Stays("since a part of the same condition list has 'try'") }
    var parts: [String] = []
    for element in list {
      guard case .expression(let expression) = element.condition else {
        throw Stays("since the same condition list has '\(element.condition.trimmedDescription)'")
      }
      try requireMovable(expression)
      let text = plain(expression, scope, frame)
      parts.append(list.count > 1 ? "(\(text))" : text)
    }
    return parts.joined(separator: " && ")
  }

  /// A name for the condition's value and the line that declares it, so that its type is known before the branches'.
  func named(_ condition: String) -> (name: String, line: String) {
    if condition.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }), condition != "true", condition != "false" {
      return (condition, "")
    }
    let name = names.next("condition")
    return (name, "let \(name) = \(condition)\n")
  }

  /// The call for an `if` that control leaves at its end only.
  func call(for node: IfExprSyntax, _ scope: Scope, _ frame: Frame) throws(Stays) -> String {
    let then = node.body.statements
    let other = node.otherItems
    guard node.exits.isEmpty, !then.stops, !other.stops else {
      throw Stays(whyUnsplit(CodeBlockItemSyntax(item: .expr(ExprSyntax(node))), frame))
    }
    try requireMovable(node)
    let condition = try condition(node.conditions, scope, frame)
    if node.conditions.expressions.allSatisfy(\.isSurelyBool) { throw Stays("since it is one") }
    let places = places(in: [then.map { Syntax($0) }, other.map { Syntax($0) }], scope)
    let assigned = places.map(\.root).filter(scope.pendingNames.contains).uniqued
    let mentioned = scope.pendingNames.intersection(node.body.identifiers.union(node.elseBody?.identifiers ?? []))
    let unset = mentioned.subtracting(assigned).union(scope.unsureNames.intersection(places.map(\.root)))
    let partly = assigned.first { !then.initializes($0) || !other.initialize($0) }
    if let name = unset.min() ?? partly {
      throw Stays("since not every branch gives '\(name)' its first value")
    }

    let isThrowing = then.throwsErrors || other.contains(where: \.throwsErrors)
    let call = RuntimeCall(shape: shape, frame: frame, throwsErrors: isThrowing)
    let (name, line) = named(condition)
    let state = RuntimeCall.state(places.filter { !assigned.contains($0.root) })
    var branches = [Array(then), other].map { rewrite($0, scope, frame.unsplittable) }
    guard !assigned.isEmpty else {
      branches = branches.map { call.closure($0, returns: "-> Void") }
      return "\(line)\(call.prefix)TFC.graphIf(\(name), state: \(state), then: \(branches[0]), else: \(branches[1]))"
    }
    branches = branches.map { call.closure(initializing(assigned, scope, $0)) }
    let paths = assigned.count == 1 ? ["$1"] : assigned.indices.map { "$1.\($0)" }
    let visits = zip(paths, assigned).map { "$0.visit(&\($0), \"\($1)\")" }
    return """
      \(line)\(assigned.asTuple) = \(call.prefix)TFC.graphResult(\(name), state: \(state), \
      result: { \(visits.joined(separator: "; ")) }, then: \(branches[0]), else: \(branches[1]))
      """
  }

  /// `branch` with its own variables for `assigned`, whose values it returns.
  private func initializing(_ assigned: [String], _ scope: Scope, _ branch: String) -> String {
    let declarations = assigned.compactMap(scope.declaration)
    return (declarations + [branch, "return \(assigned.asTuple)"]).joined(separator: "\n")
  }
}

extension IfExprSyntax {
  /// The statements of `else`; an `else if` is one statement.
  var otherItems: [CodeBlockItemSyntax] {
    switch elseBody {
    case nil: []
    case .codeBlock(let block): Array(block.statements)
    case .ifExpr(let other): [CodeBlockItemSyntax(item: .expr(ExprSyntax(other)))]
    }
  }
}

extension [String] {
  /// `a`, `(a, b)`.
  fileprivate var asTuple: String { count == 1 ? self[0] : "(\(joined(separator: ", ")))" }

  /// The names without repetitions, in order.
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
