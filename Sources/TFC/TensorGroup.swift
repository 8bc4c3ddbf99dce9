import IR

/// Visits the tensors of a group.
public protocol TensorVisitor {
  /// Sees a tensor, and may replace it by another one of its type.
  mutating func visit<Scalar>(_ tensor: inout Tensor<Scalar>)
  /// What follows is inside of the member with this name.
  mutating func enter(_ member: String)
  mutating func leave()
  /// Sees what holds no tensor.
  mutating func visit(constant: some TensorFree)
}

extension TensorVisitor {
  public mutating func enter(_ member: String) {}
  public mutating func leave() {}
  public mutating func visit(constant: some TensorFree) {}
}

/// A value made of tensors and of what is no tensor: a model, the state of an optimizer, the arguments of a graph.
///
/// `@TensorGroup` writes the conformance of a struct: all its stored variables are members, its constants are not.
///
///     @TensorGroup struct Perceptron {
///       var hidden: Dense<Float>
///       var output: Dense<Float>
///       let activation: Activation
///     }
public protocol TensorGroup {
  /// Shows every tensor to the visitor, always in the same order.
  mutating func visitTensors(_ visitor: inout some TensorVisitor)
}

extension Tensor: TensorGroup {
  public mutating func visitTensors(_ visitor: inout some TensorVisitor) { visitor.visit(&self) }
}

extension Array: TensorGroup where Element: TensorGroup {
  public mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    for index in indices {
      visitor.enter("\(index)")
      self[index].visitTensors(&visitor)
      visitor.leave()
    }
  }
}

extension Optional: TensorGroup where Wrapped: TensorGroup {
  public mutating func visitTensors(_ visitor: inout some TensorVisitor) { self?.visitTensors(&visitor) }
}

extension Dictionary: TensorGroup where Key: Comparable, Value: TensorGroup {
  public mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    for key in keys.sorted() {
      visitor.enter("\(key)")
      self[key]?.visitTensors(&visitor)
      visitor.leave()
    }
  }
}

/// What holds no tensor: part of a group, but never of a graph.
public protocol TensorFree: TensorGroup, Hashable {}
extension TensorFree {
  public mutating func visitTensors(_ visitor: inout some TensorVisitor) { visitor.visit(constant: self) }
}

struct NoTensors: TensorFree {}

extension Bool: TensorFree {}
extension Int: TensorFree {}
extension Int32: TensorFree {}
extension Int64: TensorFree {}
extension Float: TensorFree {}
extension Double: TensorFree {}
extension String: TensorFree {}

// MARK: Groups as lists

/// Lists a group's tensors.
private struct Collector: TensorVisitor {
  var tensors: [Storage] = []
  var paths: [String] = []
  var constants: [AnyHashable] = []
  private var path: [String] = []

  mutating func visit<Scalar>(_ tensor: inout Tensor<Scalar>) {
    tensors.append(tensor.storage)
    paths.append(path.joined(separator: "."))
  }
  mutating func enter(_ member: String) { path.append(member) }
  mutating func leave() { path.removeLast() }
  mutating func visit(constant: some TensorFree) { constants.append(AnyHashable(constant)) }
}

/// What of a group is not in its tensors.
struct GroupStructure: Hashable {
  /// The names of the tensors: those of the members on the way to them.
  var paths: [String]
  var constants: [AnyHashable]
}

/// Puts tensors in the place of a group's own, in order.
private struct Replacer: TensorVisitor {
  var tensors: ArraySlice<Storage>

  mutating func visit<Scalar>(_ tensor: inout Tensor<Scalar>) {
    guard let next = tensors.popFirst() else { preconditionFailure("a group keeps the number of its tensors") }
    tensor = Tensor(next)
  }
}

extension TensorGroup {
  var tensors: [Storage] {
    var (copy, collector) = (self, Collector())
    copy.visitTensors(&collector)
    return collector.tensors
  }

  var structure: GroupStructure {
    var (copy, collector) = (self, Collector())
    copy.visitTensors(&collector)
    return GroupStructure(paths: collector.paths, constants: collector.constants)
  }

  /// The group with other tensors in the place of its own; takes them from the front of the list.
  func replacingTensors(_ tensors: inout ArraySlice<Storage>) -> Self {
    var (copy, replacer) = (self, Replacer(tensors: tensors))
    copy.visitTensors(&replacer)
    tensors = replacer.tensors
    return copy
  }

  func replacingTensors(_ tensors: [Storage]) -> Self {
    var rest = tensors[...]
    return replacingTensors(&rest)
  }
}

/// A function of tensors of one type in several groups of one structure.
public protocol TensorFunction {
  /// The tensor that takes the place of the first one.
  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar>
}

extension TensorGroup {
  /// The number of elements of all tensors.
  public var parameterCount: Int {
    tensors.reduce(0) { $0 + ($1.type.fixedDimensions ?? []).reduce(1, *) }
  }

  /// The group with every tensor of floats replaced by a function of it and of those in the same places of other groups.
  public func mappingFloats(with others: [Self] = [], _ function: some TensorFunction) -> Self {
    let lists = [tensors] + others.map(\.tensors)
    guard lists.allSatisfy({ $0.count == lists[0].count }) else {
      preconditionFailure("groups of one structure have as many tensors as each other")
    }
    let mapped = lists[0].indices.map { index -> Storage in
      let storages = lists.map { $0[index] }
      return switch storages[0].type.elementType {
      case .f32: function(storages.map { Tensor<Float>($0) }).storage
      case .f64: function(storages.map { Tensor<Double>($0) }).storage
      #if !(os(macOS) && arch(x86_64))
        case .f16: function(storages.map { Tensor<Float16>($0) }).storage
      #endif
      default: storages[0]
      }
    }
    return replacingTensors(mapped)
  }

  /// The group with all tensors of floats filled with zeros.
  public func zeros() -> Self { mappingFloats(Zeros()) }
}

private struct Zeros: TensorFunction {
  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    Tensor(zeros: tensors[0].dimensions)
  }
}
