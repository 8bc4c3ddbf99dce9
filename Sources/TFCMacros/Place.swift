import SwiftSyntax

/// Something that may be assigned: `x`, `self`, `self.weights`, `trainer.step`.
struct Place: Hashable {
  /// The first name of the path.
  var root: String
  /// The members after it, as far as they are plain.
  var members: [String] = []
  /// Whether the source assigns it, or only calls a method that may.
  var isCertain = true
  /// Whether it may be a constant, so that `&` must not precede it.
  var mayBeConstant = false

  /// As an expression.
  var text: String { ([root] + members).joined(separator: ".") }

  /// `$0.visit(&self.weights, "self.weights")`, `$0.visit(self, \.model, "self.model")`
  var visit: String {
    let name = text.filter { $0 != "`" }
    guard mayBeConstant else { return "$0.visit(&\(text), \"\(name)\")" }
    return "$0.visit(\(root), \\.\(members.joined(separator: ".")), \"\(name)\")"
  }

  /// `$0.restore(&y)`
  var restore: String { "$0.restore(&\(text))" }

  /// Whether assigning this place assigns `other` with it.
  func contains(_ other: Place) -> Bool {
    (!mayBeConstant || other.mayBeConstant) && root == other.root && other.members.starts(with: members)
  }

  /// The place that an assignable expression names, nil for `_` and for expressions that start with a call.
  init?(_ expression: ExprSyntax, isCertain: Bool = true) {
    if let name = expression.as(DeclReferenceExprSyntax.self) {
      self.init(root: name.baseName.text, isCertain: isCertain)
    } else if expression.is(SuperExprSyntax.self) {
      self.init(root: "self", isCertain: isCertain)
    } else if let access = expression.as(MemberAccessExprSyntax.self), let base = access.base {
      guard var place = Place(base, isCertain: isCertain) else { return nil }
      if base.isPath { place.members.append(access.declName.trimmedDescription) }
      self = place
    } else if let inner = expression.innerAssignable {
      guard let place = Place(inner, isCertain: isCertain) else { return nil }
      self = place
    } else {
      return nil
    }
  }

  init(root: String, members: [String] = [], isCertain: Bool = true) {
    self.root = root
    self.members = members
    self.isCertain = isCertain
  }

  /// The places that the left side of an assignment names.
  static func assigned(by expression: ExprSyntax) -> [Place] {
    if let tuple = expression.as(TupleExprSyntax.self) {
      return tuple.elements.flatMap { assigned(by: $0.expression) }
    }
    return Place(expression).map { [$0] } ?? []
  }
}

extension ExprSyntax {
  /// Whether the expression is a name or plain members of one, so that `&` may precede it.
  fileprivate var isPath: Bool {
    if self.is(DeclReferenceExprSyntax.self) || self.is(SuperExprSyntax.self) { return true }
    return self.as(MemberAccessExprSyntax.self)?.base?.isPath ?? false
  }

  /// The expression inside `x[i]`, `x?`, `x!`, `(x)`.
  fileprivate var innerAssignable: ExprSyntax? {
    if let access = self.as(SubscriptCallExprSyntax.self) { return access.calledExpression }
    if let chain = self.as(OptionalChainingExprSyntax.self) { return chain.expression }
    if let unwrapped = self.as(ForceUnwrapExprSyntax.self) { return unwrapped.expression }
    if let tuple = self.as(TupleExprSyntax.self), tuple.elements.count == 1 { return tuple.elements.first?.expression }
    if let tried = self.as(TryExprSyntax.self) { return tried.expression }
    return nil
  }
}
