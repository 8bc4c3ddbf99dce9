import SwiftSyntax

/// What `return`, `break` and `continue` mean in a list of statements, and what may be done about them.
struct Frame {
  /// The exits that end the closure around the list, so that an `if` with them can be split.
  var splittable: Exits
  /// What a splitting closure gives back: the function's result, a `LoopStep`, nothing.
  var value: Value
  /// What `break` out of the rewritten loop becomes.
  var breaks: String?
  /// What `continue` of the rewritten loop becomes.
  var continues: String?
  /// Where an error goes from here.
  var errors = Errors.toCaller

  enum Errors: Equatable {
    /// Out of the function: errors have the type that it declares.
    case toCaller
    /// To a `do throws(E)`.
    case clause(String)
    /// To a `catch` of any error: inside a closure Swift infers no other type for `error`.
    case any
  }

  enum Value { case none, result, step }

  static func function(_ shape: FunctionShape) -> Frame {
    Frame(splittable: .returns, value: shape.result == nil ? .none : .result)
  }

  /// The body of a rewritten loop. A loop that may be left early tells after each turn whether to go on.
  static func loop(leavesEarly: Bool, errors: Errors) -> Frame {
    Frame(
      splittable: [.breaks, .continues], value: leavesEarly ? .step : .none, breaks: "return .stop",
      continues: leavesEarly ? "return .next" : "return", errors: errors)
  }

  /// The frame of a list inside a statement that stays as it is.
  var unsplittable: Frame {
    var frame = self
    frame.splittable = []
    return frame
  }
}

/// The code that follows a list of statements, once it is moved into the list's closure.
struct Continuation {
  var text: String
  /// The names that the text uses outside the closures of a split in it.
  var uses: Set<String> = []
  /// The names that the text uses.
  var identifiers: Set<String>
  var places: [Place]
  var throwsErrors: Bool
  /// Whether the text is one short statement, so that it may be repeated.
  var isShort = false
}
