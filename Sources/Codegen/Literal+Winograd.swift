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
          // By column of taps, transformed along it.
          let columns = taps[1].map { column in
            Self.transformed(
              taps[0].map { row in
                let weight = source[start + row + column]
                largest = max(largest, weight.magnitude)
                areFinite = areFinite && weight.isFinite
                return Double(weight)
              })
          }
          for i in 0..<WinogradConvolution.patch {
            for (j, value) in Self.transformed(columns.map { $0[i] }).enumerated() {
              let point = i * WinogradConvolution.patch + j
              result[first + (point * inputs + input) * width] = Float(value)
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

  /// G g.
  private static func transformed(_ g: [Double]) -> [Double] {
    [g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]]
  }
}
