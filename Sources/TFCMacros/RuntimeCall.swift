import SwiftSyntax

/// The text of one call of the runtime: its state, its closures and the effects they have.
struct RuntimeCall {
  let shape: FunctionShape
  let frame: Frame
  /// Whether an error may leave one of the closures.
  var throwsErrors: Bool

  /// `try ` where a closure throws.
  var prefix: String { throwsErrors ? "try " : "" }

  /// `{ $0.visit(&a, "a"); $0.visit(&b, "b") }`
  ///
  /// Of `restored` places only the second branch needs the old value: no one reads them after the branches.
  static func state(_ places: [Place], restored: [Place] = []) -> String {
    let visits = places.map(\.visit) + restored.map(\.restore)
    return visits.isEmpty ? "{ _ in }" : "{ " + visits.joined(separator: "; ") + " }"
  }

  /// A closure around `body`. Where the function throws a type of its own, the closure has to say so: the compiler
  /// infers it for no closure.
  func closure(_ body: String, taking parameters: String = "", returns type: String = "") -> String {
    var header = parameters.isEmpty ? "" : "\(parameters) in"
    if throwsErrors, let clause = errorClause {
      header = "\(parameters.isEmpty ? "()" : parameters) \(clause) \(type) in"
    }
    return "{ \(header)\n\(body)\n}"
  }

  /// `throws(E)` where the closures' errors have a type of their own.
  var errorClause: String? {
    switch frame.errors {
    case .toCaller: shape.typedThrows
    case .clause(let clause): clause
    case .any: nil
    }
  }

  /// The type that a branch with exits has in this frame.
  var branchType: String {
    switch frame.value {
    case .none: "-> Void"
    case .result: shape.arrow
    case .step: "-> TFC.LoopStep"
    }
  }

  /// The call for a condition whose branches end the closure around them.
  func branches(on condition: String, state: String, then: String, else other: String) -> String {
    let then = closure(then, returns: branchType)
    let other = closure(other, returns: branchType)
    switch frame.value {
    case .none:
      return "\(prefix)TFC.graphIf(\(condition), state: \(state), then: \(then), else: \(other))"
    case .result, .step:
      let visits = frame.value == .step ? "{ $0.visit(&$1, \"step\") }" : shape.resultVisits
      return """
        return \(prefix)TFC.graphResult(\(condition), state: \(state), result: \(visits), \
        then: \(then), else: \(other))
        """
    }
  }
}
