// pass: canonicalize
func.func @fires(%x: tensor<2x3x5xf32>, %y: tensor<2x1x5xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x5xf32>, tensor<2x3x5xf32>) {
  %a = stablehlo.transpose %x, dims = [1, 2, 0] : (tensor<2x3x5xf32>) -> tensor<3x5x2xf32>
  %b = stablehlo.transpose %a, dims = [1, 2, 0] : (tensor<3x5x2xf32>) -> tensor<5x2x3xf32>
  %c = stablehlo.transpose %y, dims = [1, 0, 2] : (tensor<2x1x5xf32>) -> tensor<1x2x5xf32>
  %d = stablehlo.transpose %b, dims = [1, 2, 0] : (tensor<5x2x3xf32>) -> tensor<2x3x5xf32>
  return %b, %c, %d : tensor<5x2x3xf32>, tensor<1x2x5xf32>, tensor<2x3x5xf32>
}
func.func @stays(%x: tensor<2x3x5xf32>) -> tensor<5x2x3xf32> {
  %a = stablehlo.transpose %x, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
  return %a : tensor<5x2x3xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3x5xf32>, %y: tensor<2x1x5xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x5xf32>, tensor<2x3x5xf32>) {
  %0 = stablehlo.transpose %x, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
  %1 = stablehlo.reshape %y : (tensor<2x1x5xf32>) -> tensor<1x2x5xf32>
  return %0, %1, %x : tensor<5x2x3xf32>, tensor<1x2x5xf32>, tensor<2x3x5xf32>
}
func.func public @stays(%x: tensor<2x3x5xf32>) -> (tensor<5x2x3xf32>) {
  %0 = stablehlo.transpose %x, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
  return %0 : tensor<5x2x3xf32>
}
