// Real and imaginary parts.
func.func @main(%x: tensor<7xcomplex<f32>>, %y: tensor<7xcomplex<f32>>) -> (tensor<7xcomplex<f32>>, tensor<7xf32>) {
  %0 = stablehlo.multiply %x, %y : tensor<7xcomplex<f32>>
  %1 = stablehlo.abs %x : (tensor<7xcomplex<f32>>) -> tensor<7xf32>
  return %0, %1 : tensor<7xcomplex<f32>>, tensor<7xf32>
}
