// pass: canonicalize
func.func @fires(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  %a = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %b = stablehlo.broadcast_in_dim %y, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %h = stablehlo.constant dense<0.5> : tensor<2x3xf32>
  %c = stablehlo.multiply %a, %h : tensor<2x3xf32>
  %d = stablehlo.add %c, %b : tensor<2x3xf32>
  return %d : tensor<2x3xf32>
}
func.func @stays(%x: tensor<3xf32>, %y: tensor<2xf32>) -> tensor<2x3xf32> {
  %a = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %b = stablehlo.broadcast_in_dim %y, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
  %d = stablehlo.add %a, %b : tensor<2x3xf32>
  return %d : tensor<2x3xf32>
}
// expect:
func.func public @fires(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<0.5> : tensor<3xf32>
  %1 = stablehlo.multiply %x, %0 : tensor<3xf32>
  %2 = stablehlo.add %1, %y : tensor<3xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  return %3 : tensor<2x3xf32>
}
func.func public @stays(%x: tensor<3xf32>, %y: tensor<2xf32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %y, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
  %2 = stablehlo.add %0, %1 : tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}
