public import TFC
import Testing

private struct Names: TensorVisitor {
  var path: [String] = []
  var visited: [String] = []

  mutating func enter(_ name: String) { path.append(name) }
  mutating func leave() { path.removeLast() }
  mutating func visit<Scalar>(_ tensor: inout Tensor<Scalar>) { visited.append(path.joined(separator: ".")) }

  static func of(_ group: some TensorGroup) -> [String] {
    var group = group
    var names = Names()
    group.visitTensors(&names)
    return names.visited
  }
}

private enum Activation { case relu }

@TensorGroup
private struct Dense {
  var weight: Tensor<Float> = 1
  var bias: Tensor<Float>?
  let activation = Activation.relu
  var count: Int = 0
  static var shared: Activation { .relu }
  @MainActor static var total = 0
  lazy var cached: Activation = .relu
  var isLinear: Bool { false }
  var twice: Tensor<Float> {
    get { weight + weight }
    set { weight = newValue }
  }
}

@TensorGroup
private struct Block<Layer: TensorGroup, Value, Other> where Other: TensorGroup {
  var first, second: Layer
  var observed: Tensor<Float> = 2 {
    didSet { changes += 1 }
  }
  var `default`: [Value]
  var other: Other
  let configuration: Activation
  var changes: Int = 0
}

private enum Outer {
  @TensorGroup fileprivate struct Inner { var x: Tensor<Float> = 0 }
  @TensorGroup struct Empty {}
}

@TensorGroup
public struct Exported {
  public var x: Tensor<Float> = 0
  @TensorGroup public struct Nested { public var y: Tensor<Float> = 0 }
}

// swift-format-ignore: NoAccessLevelOnExtensionDeclaration
public extension Exported {
  @TensorGroup struct Extended { public var z: Tensor<Float> = 0 }
}

@TensorGroup
private struct Counted {
  var inner = Outer.Inner()
  var items: [Tensor<Float>] = [1, 2]
}

@Suite struct TensorGroupMacroTests {
  @Test func visitsStoredVariablesInOrder() {
    #expect(Names.of(Dense()) == ["weight"])
    #expect(Names.of(Dense(bias: 1)) == ["weight", "bias"])
    let block = Block(
      first: Dense(), second: Dense(bias: 2), default: [Tensor<Float>(1)], other: Outer.Inner(), configuration: .relu)
    #expect(
      Names.of(block) == ["first.weight", "second.weight", "second.bias", "observed", "default.0", "other.x"])
  }

  @Test func changesWhatItVisits() {
    struct Zeros: TensorVisitor {
      mutating func enter(_ name: String) {}
      mutating func leave() {}
      mutating func visit<Scalar>(_ tensor: inout Tensor<Scalar>) {
        if Scalar.self == Float.self, let zero = Tensor<Float>(0) as? Tensor<Scalar> { tensor = zero }
      }
    }
    var dense = Dense(weight: 3, bias: 4)
    var zeros = Zeros()
    dense.visitTensors(&zeros)
    #expect(dense.weight.scalar == 0)
    #expect(dense.bias?.scalar == 0)
  }

  @Test func nestsTypes() {
    #expect(Names.of(Outer.Inner()) == ["x"])
    #expect(Names.of(Outer.Empty()).isEmpty)
    #expect(Names.of(Exported.Nested()) == ["y"])
    #expect(Names.of(Exported.Extended()) == ["z"])
    #expect(Names.of(Counted()) == ["inner.x", "items.0", "items.1"])
  }
}
