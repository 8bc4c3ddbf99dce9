import IR
import Testing

@Suite struct BatchNormTests {
  private static let x = f32([2, 2, 3], [1, 2, 4, 0, -1, 3, 5, 2.5, -2, 7, 1, 1])
  private static let scale = f32([3], [1, 0.5, 2])
  private static let offset = f32([3], [0, 1, -1])
  private static let mean = f32([3], [0.5, 1.5, -0.25])
  private static let variance = f32([3], [1, 2, 0.25])
  private static let gradient = f32([2, 2, 3], [0.1, 0.2, -0.3, 1, 0.5, 0.25, -1, 2, 0, 0.7, -0.6, 0.4])

  private func expect(_ literal: Literal, _ expected: [Double], _ tolerance: Double = 2e-6) {
    for (value, wanted) in zip(literal.scalars, expected) {
      #expect((value.realValue - wanted).magnitude <= tolerance * max(1, wanted.magnitude))
    }
    #expect(literal.elementCount == expected.count)
  }

  @Test func inference() throws {
    let op = Op.batchNormInference(BatchNormInference(epsilon: 0.001, featureIndex: 2))
    let results = try evaluate(op, [Self.x, Self.scale, Self.offset, Self.mean, Self.variance])
    expect(results[0], Reference.inference)
  }

  @Test func training() throws {
    let op = Op.batchNormTraining(BatchNormTraining(epsilon: 0.001, featureIndex: 2))
    let results = try evaluate(op, [Self.x, Self.scale, Self.offset])
    expect(results[0], Reference.normalized)
    expect(results[1], Reference.means)
    expect(results[2], Reference.variances)
  }

  @Test func gradients() throws {
    let op = Op.batchNormGrad(BatchNormGrad(epsilon: 0.001, featureIndex: 2))
    let results = try evaluate(op, [Self.x, Self.scale, Self.mean, Self.variance, Self.gradient])
    expect(results[0], Reference.operandGradient, 1e-5)
    expect(results[1], Reference.scaleGradient)
    expect(results[2], Reference.offsetGradient)
  }

  @Test func constraints() {
    let (x, v) = (type(.f32, 2, 3), type(.f32, 3))
    let inference = { (index: Int) in Op.batchNormInference(BatchNormInference(epsilon: 0, featureIndex: index)) }
    let training = Op.batchNormTraining(BatchNormTraining(epsilon: 0, featureIndex: 1))
    let gradient = Op.batchNormGrad(BatchNormGrad(epsilon: 0, featureIndex: 1))
    let (short, other) = (type(.f32, 2), type(.f64, 3))
    let refused = [
      RefusedApplication("I1", inference(1), [type(.i32, 2, 3), v, v, v, v], "is defined for floats"),
      RefusedApplication("C1", inference(2), [x, v, v, v, v], "feature_index 2 leaves the 2 dimensions"),
      RefusedApplication(
        "C2", inference(1), [x, other, v, v, v], "scale tensor<3xf64> does not have the element type"),
      RefusedApplication("C3", inference(1), [x, short, v, v, v], "scale tensor<2xf32> does not fit the 3 features"),
      RefusedApplication("C4", inference(1), [x, v, short, v, v], "offset tensor<2xf32> does not fit"),
      RefusedApplication("C5", inference(1), [x, v, v, short, v], "mean tensor<2xf32> does not fit"),
      RefusedApplication("C6", inference(1), [x, v, v, v, short], "variance tensor<2xf32> does not fit"),
      RefusedApplication("C3", training, [x, short, v], "scale tensor<2xf32> does not fit"),
      RefusedApplication("C4", training, [x, v, short], "offset tensor<2xf32> does not fit"),
      RefusedApplication("C3", gradient, [x, v, v, v, type(.f32, 3, 2)], "the output's gradient tensor<3x2xf32>"),
      RefusedApplication("C4", gradient, [x, v, short, v, x], "mean tensor<2xf32> does not fit"),
      RefusedApplication("C5", gradient, [x, short, v, v, x], "scale tensor<2xf32> does not fit"),
    ]
    for application in refused { application.check() }
  }

  /// Values of the specification's decompositions, computed in f64.
  private enum Reference {
    static let inference: [Double] = [
      0.499750187, 1.17673252, 15.9661017, -0.499750187, 0.116337412, 11.9740777,
      4.49775169, 1.35346504, -7.98604186, 6.49675244, 0.823267482, 3.9900299,
    ]
    static let normalized: [Double] = [
      -0.786285635, 1.3262859, 1.18197111, -1.13574592, 0.207591379, 0.309182663,
      0.611555494, 1.51273499, -4.05475955, 1.31047606, 0.953387728, -1.43639422,
    ]
    static let means: [Double] = [
      3.25, 1.125, 1.5,
    ]
    static let variances: [Double] = [
      8.1875, 1.796875, 5.25,
    ]
    static let operandGradient: [Double] = [
      -0.0500249438, -0.14026874, -2.18060331, 0.749675206, 0.11812639, 0.16411433,
      -0.750074607, 0.470575721, -0.0883692546, 1.1487764, -0.372255562, 1.06112688,
    ]
    static let scaleGradient: [Double] = [
      -0.39980015, 0.812969581, 0.0748504485,
    ]
    static let offsetGradient: [Double] = [
      0.8, 2.1, 0.35,
    ]
  }
}
