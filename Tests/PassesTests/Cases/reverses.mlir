// pass: canonicalize
func.func @fires(%x: tensor<2x3x1xf32>) -> (tensor<2x3x1xf32>, tensor<2x3x1xf32>) {
  %a = stablehlo.reverse %x, dims = [0, 2] : tensor<2x3x1xf32>
  %b = stablehlo.reverse %a, dims = [0] : tensor<2x3x1xf32>
  %c = stablehlo.reverse %a, dims = [1] : tensor<2x3x1xf32>
  return %b, %c : tensor<2x3x1xf32>, tensor<2x3x1xf32>
}
func.func @stays(%x: tensor<2x3x1xf32>) -> tensor<2x3x1xf32> {
  %a = stablehlo.reverse %x, dims = [0, 1] : tensor<2x3x1xf32>
  return %a : tensor<2x3x1xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3x1xf32>) -> (tensor<2x3x1xf32>, tensor<2x3x1xf32>) {
  %0 = stablehlo.reverse %x, dims = [0, 1] : tensor<2x3x1xf32>
  return %x, %0 : tensor<2x3x1xf32>, tensor<2x3x1xf32>
}
func.func public @stays(%x: tensor<2x3x1xf32>) -> (tensor<2x3x1xf32>) {
  %0 = stablehlo.reverse %x, dims = [0, 1] : tensor<2x3x1xf32>
  return %0 : tensor<2x3x1xf32>
}
