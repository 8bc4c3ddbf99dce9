import IR

/// What shows the places that a branch or a loop assigns: variables, members, results. `@Graph` writes such functions.
public typealias GraphPlaces = (inout GraphState) -> Void

/// Sees the places that a branch or a loop assigns: to save, restore, list or replace what is in them.
///
/// The tensors of groups become values of the graph; everything else is Swift's own.
public struct GraphState {
  private enum Purpose { case saving, restoring, listing, replacing, comparing }

  private let purpose: Purpose
  private var values: [Any] = []
  private var tensors: [Storage] = []
  private var next = 0
  /// The first place that holds no tensors and differs from what was saved.
  private var difference: String?

  private init(_ purpose: Purpose) { self.purpose = purpose }

  public mutating func visit<Value>(_ value: inout Value, _ name: String) {
    switch purpose {
    case .saving: values.append(value)
    case .restoring: value = saved()
    case .comparing:
      let other: Value = saved()
      if !(value is any TensorGroup), let a = value as? any Equatable, !Self.isEqual(a, other), difference == nil {
        difference = name
      }
    case .listing:
      guard let group = value as? any TensorGroup else { return }
      tensors += group.tensors
    case .replacing:
      guard let group = value as? any TensorGroup else { return }
      var rest = tensors[next...]
      guard let replaced = group.replacingTensors(&rest) as? Value else {
        preconditionFailure("a group keeps its type")
      }
      value = replaced
      next = rest.startIndex
    }
  }

  private mutating func saved<Value>() -> Value {
    guard let value = values[next] as? Value else { preconditionFailure("places are shown in one order") }
    next += 1
    return value
  }

  private static func isEqual<Value: Equatable>(_ a: Value, _ b: Any) -> Bool { a == b as? Value }

  // MARK: Uses

  static func save(_ places: GraphPlaces) -> [Any] {
    var state = GraphState(.saving)
    places(&state)
    return state.values
  }

  static func restore(_ values: [Any], in places: GraphPlaces) {
    var state = GraphState(.restoring)
    state.values = values
    places(&state)
  }

  static func tensors(in places: GraphPlaces) -> [Storage] {
    var state = GraphState(.listing)
    places(&state)
    return state.tensors
  }

  /// Puts tensors into the places, which hold as many.
  static func replaceTensors(in places: GraphPlaces, by tensors: some Sequence<Storage>) {
    var state = GraphState(.replacing)
    state.tensors = Array(tensors)
    places(&state)
    precondition(state.next == state.tensors.count, "places keep the number of their tensors")
  }

  /// Stops the program where a place that holds no tensors has another value than in `values`: a graph cannot choose.
  static func expectEqual(_ places: GraphPlaces, _ values: [Any]) {
    var state = GraphState(.comparing)
    state.values = values
    places(&state)
    guard let name = state.difference else { return }
    refuse(OpError("the branches of an if on a tensor give '\(name)' two values, and it is no TensorGroup"))
  }
}
