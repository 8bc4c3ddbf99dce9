import IR

/// What shows the places that a branch or a loop assigns: variables, members, results. `@Graph` writes such functions.
public typealias GraphPlaces = (inout GraphState) -> Void

/// Sees the places that a branch or a loop assigns: to save, restore, list or replace what is in them.
///
/// The tensors of groups become values of the graph; everything else is Swift's own.
public struct GraphState {
  private enum Purpose { case saving, restoring, listing, replacing, comparing, expectingGroups }

  private let purpose: Purpose
  private var values: [Any] = []
  private var tensors: [Storage] = []
  private var next = 0
  /// The first place that differs from what was saved in more than its tensors.
  private var difference: String?

  private init(_ purpose: Purpose) { self.purpose = purpose }

  public mutating func visit<Value>(_ value: inout Value, _ name: String) {
    let group = value as? any TensorGroup
    switch purpose {
    case .saving: values.append(value)
    case .restoring: value = saved()
    case .comparing:
      let other: Value = saved()
      if difference == nil, !Self.isSame(value, other) { difference = name }
    case .expectingGroups: if group == nil, !(value is any Equatable), Value.self != Void.self { difference = name }
    case .listing: tensors += group.map(\.tensors) ?? []
    case .replacing:
      guard let group else { return }
      var rest = tensors[next...]
      guard let replaced = group.replacingTensors(&rest) as? Value else {
        preconditionFailure("a group keeps its type")
      }
      value = replaced
      next = rest.startIndex
    }
  }

  /// A member of a class.
  public mutating func visit<Root, Value>(
    _ root: Root, _ member: ReferenceWritableKeyPath<Root, Value>, _ name: String
  ) { visit(&root[keyPath: member], name) }

  /// A member that cannot change: nothing to see.
  public mutating func visit<Root, Value>(_ root: Root, _ member: KeyPath<Root, Value>, _ name: String) {}

  /// A variable that nothing reads after the branches: each begins with its old value.
  public mutating func restore<Value>(_ value: inout Value) {
    switch purpose {
    case .saving, .restoring: visit(&value, "")
    case .comparing: next += 1
    case .listing, .replacing, .expectingGroups: break
    }
  }

  private mutating func saved<Value>() -> Value {
    guard let value = values[next] as? Value else { preconditionFailure("places are shown in one order") }
    next += 1
    return value
  }

  /// Whether two values differ in nothing but tensors. What cannot be compared counts as different.
  private static func isSame<Value>(_ a: Value, _ b: Value) -> Bool {
    if let a = a as? any TensorGroup, let b = b as? any TensorGroup { return a.structure == b.structure }
    if let a = a as? any Equatable { return isEqual(a, b) }
    guard Value.self is AnyClass else { return Value.self == Void.self }
    return ObjectIdentifier(a as AnyObject) == ObjectIdentifier(b as AnyObject)
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

  /// Stops the program where a place differs from `values` in more than its tensors: a graph knows one of both.
  static func expectEqual(_ places: GraphPlaces, _ values: [Any], _ what: String) {
    var state = GraphState(.comparing)
    state.values = values
    places(&state)
    guard let name = state.difference else { return }
    refuse(OpError("\(what) on a tensor changes '\(name)' in more than its tensors"))
  }

  /// Stops the program where a place may hold tensors that nobody sees.
  static func expectGroups(in places: GraphPlaces, of function: String) {
    var state = GraphState(.expectingGroups)
    places(&state)
    guard let name = state.difference else { return }
    refuse(OpError("the result '\(name)' of graph '\(function)' is no TensorGroup"))
  }
}
