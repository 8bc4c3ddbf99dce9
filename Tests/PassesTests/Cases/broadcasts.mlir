// pass: canonicalize
func.func @fires(%x: tensor<3x1xf32>, %y: tensor<3xf32>) -> (tensor<2x3x5xf32>, tensor<5x3x2xf32>, tensor<3x1xf32>, tensor<2x3x1x5xf32>) {
  %a = stablehlo.broadcast_in_dim %x, dims = [0, 1] : (tensor<3x1xf32>) -> tensor<3x5xf32>
  %b = stablehlo.broadcast_in_dim %a, dims = [1, 2] : (tensor<3x5xf32>) -> tensor<2x3x5xf32>
  %c = stablehlo.transpose %b, dims = [2, 1, 0] : (tensor<2x3x5xf32>) -> tensor<5x3x2xf32>
  %d = stablehlo.broadcast_in_dim %y, dims = [0] : (tensor<3xf32>) -> tensor<3x1xf32>
  %e = stablehlo.reshape %b : (tensor<2x3x5xf32>) -> tensor<2x3x1x5xf32>
  return %b, %c, %d, %e : tensor<2x3x5xf32>, tensor<5x3x2xf32>, tensor<3x1xf32>, tensor<2x3x1x5xf32>
}
func.func @stays(%y: tensor<3xf32>) -> tensor<6x5xf32> {
  %a = stablehlo.broadcast_in_dim %y, dims = [1] : (tensor<3xf32>) -> tensor<2x3x5xf32>
  %b = stablehlo.reshape %a : (tensor<2x3x5xf32>) -> tensor<6x5xf32>
  return %b : tensor<6x5xf32>
}
func.func @repeats(%x: tensor<4x5xf32>) -> tensor<4x3x10xf32> {
  %a = stablehlo.broadcast_in_dim %x, dims = [0, 2] : (tensor<4x5xf32>) -> tensor<4x2x5xf32>
  %b = stablehlo.reshape %a : (tensor<4x2x5xf32>) -> tensor<4x10xf32>
  %c = stablehlo.broadcast_in_dim %b, dims = [0, 2] : (tensor<4x10xf32>) -> tensor<4x3x10xf32>
  return %c : tensor<4x3x10xf32>
}
// expect:
func.func public @fires(%x: tensor<3x1xf32>, %y: tensor<3xf32>) -> (tensor<2x3x5xf32>, tensor<5x3x2xf32>, tensor<3x1xf32>, tensor<2x3x1x5xf32>) {
  %0 = stablehlo.reshape %x : (tensor<3x1xf32>) -> tensor<3xf32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<2x3x5xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<5x3x2xf32>
  %3 = stablehlo.reshape %y : (tensor<3xf32>) -> tensor<3x1xf32>
  %4 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<2x3x1x5xf32>
  return %1, %2, %3, %4 : tensor<2x3x5xf32>, tensor<5x3x2xf32>, tensor<3x1xf32>, tensor<2x3x1x5xf32>
}
func.func public @stays(%y: tensor<3xf32>) -> (tensor<6x5xf32>) {
  %0 = stablehlo.broadcast_in_dim %y, dims = [1] : (tensor<3xf32>) -> tensor<2x3x5xf32>
  %1 = stablehlo.reshape %0 : (tensor<2x3x5xf32>) -> tensor<6x5xf32>
  return %1 : tensor<6x5xf32>
}
func.func public @repeats(%x: tensor<4x5xf32>) -> (tensor<4x3x10xf32>) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [0, 3] : (tensor<4x5xf32>) -> tensor<4x3x2x5xf32>
  %1 = stablehlo.reshape %0 : (tensor<4x3x2x5xf32>) -> tensor<4x3x10xf32>
  return %1 : tensor<4x3x10xf32>
}
