import SwiftSyntax

/// What the rewriting needs to know about the function around a body.
struct FunctionShape {
  /// Whether `self` may be assigned.
  let isMutating: Bool
  /// Whether `self` is a value or a reference, not a type.
  let isInstanceMethod: Bool
  /// `throws`, `throws(E)`, nil when the function does not throw.
  let throwsClause: String?
  /// The result's type, nil for Void.
  let result: TypeSyntax?

  init(_ function: FunctionDeclSyntax, isMember: Bool) {
    isInstanceMethod = isMember && !function.modifiers.contains { ["static", "class"].contains($0.name.text) }
    isMutating = function.modifiers.contains { $0.name.text == "mutating" }
    throwsClause = function.signature.effectSpecifiers?.throwsClause?.trimmedDescription
    let type = function.signature.returnClause?.type
    result = type?.isVoid ?? true ? nil : type?.trimmed
  }

  /// `throws(E)`, nil when the function throws any error or none.
  var typedThrows: String? { throwsClause.flatMap { $0.contains("(") ? $0 : nil } }

  /// Whether the result's type can be written in a closure or local function: opaque types cannot.
  var canNameResult: Bool { !(result?.identifiers.contains("some") ?? false) }

  /// `-> T`, nothing when it is Void and cannot be named when it is opaque.
  var arrow: String {
    guard let result else { return "-> Void" }
    return canNameResult ? "-> \(result.description)" : ""
  }

  /// `{ $0.visit(&$1.loss, "loss"); $0.visit(&$1.1, "1") }`: visits each part of a result.
  var resultVisits: String {
    guard let result else { return "{ _, _ in }" }
    return "{ " + visits(of: result, path: "$1", name: "result").joined(separator: "; ") + " }"
  }

  private func visits(of type: TypeSyntax, path: String, name: String) -> [String] {
    guard let elements = type.as(TupleTypeSyntax.self)?.elements else { return ["$0.visit(&\(path), \"\(name)\")"] }
    if elements.count == 1, let element = elements.first { return visits(of: element.type, path: path, name: name) }
    return elements.enumerated().flatMap { index, element in
      let label = element.firstName.map(\.text).flatMap { $0 == "_" ? nil : $0 } ?? "\(index)"
      return visits(of: element.type, path: "\(path).\(label)", name: "\(name).\(label)")
    }
  }
}

extension TypeSyntax {
  /// Whether the type is spelled `Void` or `()`.
  fileprivate var isVoid: Bool { ["Void", "()", "Swift.Void"].contains(trimmedDescription) }
}

/// Names for what the expansion declares, none of which the function uses.
final class FreshNames {
  private var used: Set<String>

  init(avoiding names: Set<String>) { used = names }

  /// `condition1`, `condition2`.
  func next(_ stem: String) -> String {
    var number = 1
    while used.contains("\(stem)\(number)") { number += 1 }
    used.insert("\(stem)\(number)")
    return "\(stem)\(number)"
  }
}
