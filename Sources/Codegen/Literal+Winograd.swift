import IR

extension Literal {
  /// A convolution's weights of 3 × 3 taps as `WinogradConvolution` reads them, G g Gᵀ: for each panel of `width` output
  /// features and each of 16 points a row for each input feature. Nil where a weight is too large or not finite.
  func transformedWeights(_ convolution: Convolution, width: Int) -> Literal? {
    let numbers = convolution.dimensionNumbers
    let strides = type.strides.compactMap(\.fixed)
    let (inputs, outputs) = (dimensions[numbers.kernelInputFeature], dimensions[numbers.kernelOutputFeature])
    guard elementType == .f32, !isSplat, numbers.kernelSpatial.count == 2,
      numbers.kernelSpatial.allSatisfy({ dimensions[$0] == WinogradConvolution.taps })
    else { return nil }
    let taps = zip(numbers.kernelSpatial, convolution.window).map { d, window in
      (0..<WinogradConvolution.taps).map { (window.isReversed ? WinogradConvolution.taps - 1 - $0 : $0) * strides[d] }
    }
    let (panelCount, pointCount) = ((outputs + width - 1) / width, WinogradConvolution.pointCount)
    var result = [Float](repeating: 0, count: panelCount * pointCount * inputs * width)
    var (largest, areFinite) = (Float(0), true)
    withFloats { source in
      for output in 0..<outputs {
        let first = output / width * pointCount * inputs * width + output % width
        for input in 0..<inputs {
          let start = output * strides[numbers.kernelOutputFeature] + input * strides[numbers.kernelInputFeature]
          func weight(_ row: Int, _ column: Int) -> Double {
            let weight = source[start + taps[0][row] + taps[1][column]]
            largest = max(largest, weight.magnitude)
            areFinite = areFinite && weight.isFinite
            return Double(weight)
          }
          func column(_ j: Int) -> Points { Points(weight(0, j), weight(1, j), weight(2, j)) }
          let columns = (column(0), column(1), column(2))
          for i in 0..<WinogradConvolution.patch {
            let line = Points(columns.0[i], columns.1[i], columns.2[i])
            for j in 0..<WinogradConvolution.patch {
              let point = i * WinogradConvolution.patch + j
              result[first + (point * inputs + input) * width] = Float(line[j])
            }
          }
        }
      }
    }
    guard areFinite, largest == 0 || WinogradConvolution.weightExponents.contains(Int(largest.exponent)) else {
      return nil
    }
    return Literal(
      .f32, [panelCount, pointCount, inputs, width], bytes: result.withUnsafeBytes { Array($0) })
  }
}

/// G g, for the three weights of a line.
private struct Points {
  private let values: (Double, Double, Double, Double)

  init(_ a: Double, _ b: Double, _ c: Double) { values = (a, (a + b + c) / 2, (a - b + c) / 2, c) }

  subscript(point: Int) -> Double {
    switch point {
    case 0: values.0
    case 1: values.1
    case 2: values.2
    default: values.3
    }
  }
}
