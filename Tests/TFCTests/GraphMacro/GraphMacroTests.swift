import TFC
import Testing

/// A function of two numbers with its name.
struct Case<Number>: Sendable {
  let name: String
  let function: @Sendable (Number, Number) -> Number

  init(_ name: String, _ function: @escaping @Sendable (Number, Number) -> Number) {
    self.name = name
    self.function = function
  }
}

// What the shared bodies use of both kinds of numbers.

extension Float {
  static func .> (a: Float, b: Float) -> Bool { a > b }
  static func .< (a: Float, b: Float) -> Bool { a < b }
  static func .== (a: Float, b: Float) -> Bool { a == b }
  var isKnown: Bool { true }
  func itself() -> Float { self }
}

extension Tensor {
  var isKnown: Bool { true }
  func itself() -> Tensor { self }
}

struct FloatBox {
  var value: Float
  var items: [Float]

  init(_ value: Float) {
    self.value = value
    items = [value, value]
  }

  mutating func increase(by step: Float) { value += step }

  mutating func increased() -> Float {
    value += 1
    return value
  }
}

@TensorGroup
struct TensorBox {
  var value: Tensor<Float>
  var items: [Tensor<Float>]

  init(_ value: Tensor<Float>) {
    self.value = value
    items = [value, value]
  }

  mutating func increase(by step: Tensor<Float>) { value += step }

  mutating func increased() -> Tensor<Float> {
    value += Tensor<Float>(1)
    return value
  }
}

func add(_ x: Float, to y: inout Float) { y += x }
func add(_ x: Tensor<Float>, to y: inout Tensor<Float>) { y += x }

/// Every function twice, word for word: as Swift runs it on numbers, and with `@Graph` on tensors. The first judges the
/// second, so that it cannot be made of the same source.
@Suite(.serialized) struct GraphMacroTests {
  private static let inputs: [Float] = [-3, -1, 0, 1, 2, 3, 5]

  private func check(_ reference: [Case<Float>], _ traced: [Case<Tensor<Float>>]) {
    #expect(reference.map(\.name) == traced.map(\.name))
    for (swift, traced) in zip(reference, traced) {
      for x in Self.inputs {
        for z in Self.inputs {
          let expected = swift.function(x, z)
          let result = traced.function(Tensor<Float>(x), Tensor<Float>(z)).scalar
          #expect(result == expected, "\(swift.name)(\(x), \(z))")
        }
      }
    }
  }

  @Test func branches() { check(ReferenceBranches.all, TracedBranches.all) }
  @Test func returns() { check(ReferenceReturns.all, TracedReturns.all) }
  @Test func loops() { check(ReferenceLoops.all, TracedLoops.all) }
  @Test func variables() { check(ReferenceVariables.all, TracedVariables.all) }
  @Test func values() { check(ReferenceValues.all, TracedValues.all) }
}
